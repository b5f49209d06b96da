/** A horizontal bar, in addition to a number. @param share 0–1 */
export const Bar = ({ share }: { share: number }) => (
  <span class="track" aria-hidden="true">
    <span class="fill" style={{ width: `${Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10}%` }} />
  </span>
)
