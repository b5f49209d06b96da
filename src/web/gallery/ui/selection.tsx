import { useEffect, useRef } from 'preact/hooks'
import type { ExportFormat } from '../data/gallery'
import { useGallery } from './context'
import { Icon } from './icons'
import { ProblemText } from './parts/message'
import { RoundButton } from './parts/round-button'
import { text } from './strings'

const words = text.selection

const formats = Object.entries(words.formats) as [ExportFormat, string][]

/** Download links for an export. */
function ExportLinks({ what }: { what: 'shown' | 'selected' }) {
  const { exports } = useGallery()
  const urls = formats.map(([format, name]) => ({ format, name, url: exports.urlOf(what, format) }))
  const problem = urls.map(({ url }) => url).find((url) => typeof url !== 'string')
  if (problem && typeof problem !== 'string')
    return (
      <div class="bad">
        <ProblemText problem={problem} />
      </div>
    )
  return (
    <>
      {urls.map(({ format, name, url }) => (
        <a key={format} href={String(url)} download>
          {name}
        </a>
      ))}
    </>
  )
}

/** Opens the links of an export. */
export function Export({ what, number }: { what: 'shown' | 'selected'; number: number }) {
  const caption = what === 'shown' ? words.exportShown(number) : words.exportSelected(number)
  const menu = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const pressed = ({ target }: Event) => {
      if (menu.current && target instanceof Node && !menu.current.contains(target)) menu.current.open = false
    }
    document.addEventListener('pointerdown', pressed)
    return () => document.removeEventListener('pointerdown', pressed)
  }, [])
  return (
    <details class="menu" ref={menu} onKeyDown={closeOnEscape} onFocusOut={closeOutside}>
      <summary class="button" title={caption} aria-label={caption}>
        <Icon name="download" />
        <span>{words.export}</span>
      </summary>
      <div class="menu-items">
        <p class="small muted">{caption}</p>
        <ExportLinks what={what} />
      </div>
    </details>
  )
}

function closeOnEscape(event: KeyboardEvent & { currentTarget: HTMLDetailsElement }) {
  if (event.key !== 'Escape' || !event.currentTarget.open) return
  event.stopPropagation()
  event.currentTarget.open = false
  event.currentTarget.querySelector('summary')?.focus()
}

function closeOutside({ currentTarget, relatedTarget }: FocusEvent & { currentTarget: HTMLDetailsElement }) {
  if (relatedTarget instanceof Node && !currentTarget.contains(relatedTarget)) currentTarget.open = false
}

/** Actions for the selection. */
export function SelectionBar() {
  const { selection, result } = useGallery()
  const selected = selection.count.value
  if (selected === 0) return null
  const hidden = selection.hidden.value
  const shown = result.value.rows.length
  const isAll = selected - hidden === shown
  return (
    <section class="selection" aria-label={words.title}>
      <p>
        <strong class="number">{words.selected(selected)}</strong>
        {hidden > 0 && <span class="muted"> {words.hidden(hidden)}</span>}
      </p>
      {!isAll && (
        <button type="button" class="quiet" onClick={() => selection.all()}>
          {words.all(shown)}
        </button>
      )}
      <Export what="selected" number={selected} />
      <RoundButton icon="close" name={words.clear} act={() => selection.clear()} />
    </section>
  )
}
