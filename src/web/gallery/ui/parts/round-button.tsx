import { Icon, type IconName } from '../icons'

interface Props {
  icon: IconName
  name: string
  act(): void
  isOff?: boolean
  isPressed?: boolean
  opensDialog?: boolean
}

/** A round icon button. A disabled one keeps the focus. */
export const RoundButton = ({ icon, name, act, isOff = false, isPressed, opensDialog = false }: Props) => (
  <button
    type="button"
    class="round"
    aria-label={name}
    title={name}
    aria-disabled={isOff || undefined}
    aria-pressed={isPressed}
    aria-haspopup={opensDialog ? 'dialog' : undefined}
    onClick={() => !isOff && act()}
  >
    <Icon name={icon} />
  </button>
)
