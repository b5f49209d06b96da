import type { ComponentChildren } from 'preact'
import type { Problem } from '../../data/gallery'
import { Icon, type IconName } from '../icons'

interface Props {
  icon: IconName
  title: string
  children?: ComponentChildren
}

/** In place of what cannot be shown: why, and what to do. */
export const Message = ({ icon, title, children }: Props) => (
  <div class="message">
    <Icon name={icon} />
    <h2>{title}</h2>
    {children}
  </div>
)

/** What went wrong, in a line of its own. */
export const ProblemText = ({ problem: { code, message, hint } }: { problem: Problem }) => (
  <>
    <p dir="auto">
      {message} <code class="code">{code}</code>
    </p>
    {hint && <p dir="auto">{hint}</p>}
  </>
)
