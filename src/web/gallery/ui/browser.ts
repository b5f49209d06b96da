import type { Browser } from '../data/gallery'

/** What the data of the page needs of the browser. */
export function browser(): Browser {
  const listen = (target: EventTarget, name: string, changed: () => void) => {
    target.addEventListener(name, changed)
    return () => target.removeEventListener(name, changed)
  }
  return {
    address: () => location.href,
    setAddress: (address, how) => history[how === 'push' ? 'pushState' : 'replaceState'](null, '', address),
    onAddress: (changed) => listen(window, 'popstate', changed),
    isHidden: () => document.visibilityState === 'hidden',
    onHidden: (changed) => listen(document, 'visibilitychange', changed),
    fetch: (input, init) => fetch(input, init),
    send,
    now: () => Date.now(),
    after: (milliseconds, run) => {
      const timer = setTimeout(run, milliseconds)
      return () => clearTimeout(timer)
    },
  }
}

/** `fetch` does not tell how much of a body was sent. */
const send: Browser['send'] = ({ url, headers, body }, progress) =>
  new Promise((done, fail) => {
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.onprogress = ({ loaded }) => progress(loaded)
    request.onload = () => done({ status: request.status, text: request.responseText })
    request.onerror = () => fail(new TypeError('the request failed'))
    request.send(body)
  })
