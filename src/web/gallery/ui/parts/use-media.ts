import { useEffect, useState } from 'preact/hooks'

/** Below this width, lists and filters open in dialogs. */
export const narrow = '(max-width: 60rem)'

/** Tracks whether a media query matches. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const changed = () => setMatches(list.matches)
    changed()
    list.addEventListener('change', changed)
    return () => list.removeEventListener('change', changed)
  }, [query])
  return matches
}
