import type { ComponentChildren } from 'preact'
import type { Problem } from '../../data/gallery'
import { Icon, type IconName } from '../icons'

interface Props {
  icon: IconName
  title: string
  children?: ComponentChildren
}

/** Shown in place of content: why, and what to do. */
export const Message = ({ icon, title, children }: Props) => (
  <div class="message">
    <Icon name={icon} />
    <h2>{title}</h2>
    {children}
  </div>
)

/** An error, on its own line. */
export const ProblemText = ({ problem: { code, message, hint } }: { problem: Problem }) => (
  <>
    <p dir="auto">
      {message} <code class="code">{code}</code>
    </p>
    {hint && <p dir="auto">{hint}</p>}
  </>
)
