import { useEffect, useRef, useState } from 'preact/hooks'

/** Debounce interval, milliseconds. */
const pause = 200

/**
 * A text field with debounced changes. It follows changes of the value from elsewhere, except while typing.
 * @returns attributes of the field
 */
export function useTyped(value: string, change: (typed: string) => void) {
  const [typed, setTyped] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => {
    if (timer.current === undefined) setTyped(value)
  }, [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  const onInput = (event: { currentTarget: HTMLInputElement }) => {
    const words = event.currentTarget.value
    setTyped(words)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      timer.current = undefined
      change(words.trim())
    }, pause)
  }
  return { value: typed, onInput }
}
