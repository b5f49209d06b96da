/** A horizontal bar; the number beside it says the same. @param share 0–1 */
export const Bar = ({ share }: { share: number }) => (
  <span class="track" aria-hidden="true">
    <span class="fill" style={{ width: `${Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10}%` }} />
  </span>
)
