import type { Browser } from './api'

/** The real browser. */
export const browser = (): Browser => ({
  address: () => location.href,
  setAddress: (address, how) => {
    if (how === 'replace') return history.replaceState(history.state, '', address)
    // Set on the current entry, before pushing the new one.
    history.scrollRestoration = how === 'overlay' ? 'manual' : 'auto'
    history.pushState({ isOverlay: how === 'overlay' }, '', address)
  },
  closeOverlay: () => {
    const isOverlay = history.state?.isOverlay === true
    if (isOverlay) history.back()
    return isOverlay
  },
  onAddress: (changed) => {
    addEventListener('popstate', changed)
    return () => removeEventListener('popstate', changed)
  },
  isHidden: () => document.hidden,
  onHidden: (changed) => {
    document.addEventListener('visibilitychange', changed)
    return () => document.removeEventListener('visibilitychange', changed)
  },
  fetch: (...request) => fetch(...request),
  send: ({ url, headers, body }, progress) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open('PUT', url)
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
      request.upload.onprogress = ({ loaded }) => progress(loaded)
      request.onload = () => resolve({ status: request.status, text: request.responseText })
      request.onerror = () => reject(new TypeError('The upload failed'))
      request.send(body)
    }),
  now: () => Date.now(),
  after: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds)
    return () => clearTimeout(timer)
  },
})
