import type { ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks'
import { text } from '../strings'
import { RoundButton } from './round-button'

interface Props {
  title: string
  class?: string
  close(): void
  children: ComponentChildren
}

/**
 * Opens a dialog while it is mounted; the focus goes back to where it was. Escape and a click outside close it.
 * @param hasFocus focus the dialog itself, not its first button
 */
export function useModal(close: () => void, hasFocus = false) {
  const dialog = useRef<HTMLDialogElement>(null)
  const latest = useRef(close)
  latest.current = close
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    if (hasFocus) element?.focus()
    // close() restores the focus, so call it before unmounting.
    return () => element?.close()
  }, [hasFocus])
  useEffect(() => {
    const element = dialog.current
    const cancelled = (event: Event) => {
      if (event.target !== element) return
      event.preventDefault()
      latest.current()
    }
    const clicked = (event: Event) => event.target === element && latest.current()
    element?.addEventListener('cancel', cancelled)
    element?.addEventListener('close', cancelled)
    element?.addEventListener('mousedown', clicked)
    return () => {
      element?.removeEventListener('cancel', cancelled)
      element?.removeEventListener('close', cancelled)
      element?.removeEventListener('mousedown', clicked)
    }
  }, [])
  return dialog
}

export function Modal({ title, class: name = '', close, children }: Props) {
  const dialog = useModal(close)
  const id = useId()
  return (
    <dialog class={`modal ${name}`} ref={dialog} aria-labelledby={id}>
      <div class="modal-head">
        <h2 id={id}>{title}</h2>
        <RoundButton icon="close" name={text.close} act={close} />
      </div>
      <div class="modal-body">{children}</div>
    </dialog>
  )
}
