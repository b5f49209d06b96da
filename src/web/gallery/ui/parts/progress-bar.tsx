/** A progress bar. @param share 0–1 */
export const ProgressBar = ({ label, share }: { label: string; share: number }) => (
  <div
    class="track"
    role="progressbar"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={Math.round(share * 100)}
  >
    <span class="fill" style={{ width: `${share * 100}%` }} />
  </div>
)
