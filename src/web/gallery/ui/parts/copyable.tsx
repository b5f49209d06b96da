import { useState } from 'preact/hooks'
import { Icon } from '../icons'
import { text } from '../strings'

/** Text of a command or a record, with a button that copies it. */
export function Copyable({ value, class: name = '' }: { value: string; class?: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <div class={`copyable ${name}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <pre dir="auto" tabIndex={0}>
        {value}
      </pre>
      <button type="button" class="quiet" onClick={copy}>
        <Icon name={isCopied ? 'check' : 'copy'} />
        <span aria-live="polite">{isCopied ? text.copied : text.copy}</span>
      </button>
    </div>
  )
}
