import { useEffect, useRef, useState } from 'preact/hooks'

/** Least time between two announcements, milliseconds: a screen reader is to finish the one before. */
const pause = 2000

/** Tells screen readers what has changed, not more often than they can say it. */
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
