import { useEffect, useRef, useState } from 'preact/hooks'

/** Minimum interval between announcements, milliseconds, so that screen readers finish the previous one. */
const pause = 2000

/** Announces changes to screen readers, throttled. */
export function Announcer({ message }: { message: string }) {
  const [said, setSaid] = useState('')
  const lastAt = useRef(0)
  useEffect(() => {
    const timer = setTimeout(
      () => {
        lastAt.current = Date.now()
        setSaid(message)
      },
      Math.max(300, lastAt.current + pause - Date.now()),
    )
    return () => clearTimeout(timer)
  }, [message])
  return (
    <p class="hidden-text" role="status">
      {said}
    </p>
  )
}
