import { useState } from 'preact/hooks'
import { Icon } from '../icons'
import { text } from '../strings'

/** A command or record with a copy button. */
export function Copyable({ value, class: name = '' }: { value: string; class?: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <div class={`copyable ${name}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable, so it must be focusable */}
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
