import type { Browser } from './api'
import { errorOf, GalleryError } from './problems'

/** Calls routes of the local mode with the owner's secret. @throws GalleryError */
export function ownerRoutes(browser: Browser, secret: string) {
  const { origin } = new URL(browser.address())
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
  const parseAnswer = (status: number, text: string) => {
    if (status >= 200 && status < 300) return JSON.parse(text)
    throw errorOf(status, text)
  }
  return {
    call: async <T>(path: string, body?: object): Promise<T> => {
      const given = body && { method: 'POST', body: JSON.stringify(body) }
      const response = await browser.fetch(`${origin}/local${path}`, { headers, ...given }).catch(gone)
      return parseAnswer(response.status, await response.text())
    },
    put: async <T>(key: string, body: Blob, progress: (bytes: number) => void): Promise<T> => {
      const url = `${origin}/local/images/${key.split('/').map(encodeURIComponent).join('/')}`
      const { status, text } = await browser
        .send({ url, headers: sending(headers, body), body }, progress)
        .catch(gone)
      return parseAnswer(status, text)
    },
  }
}
export type OwnerRoutes = ReturnType<typeof ownerRoutes>

const sending = (headers: Record<string, string>, { type }: Blob) => ({
  ...headers,
  'content-type': type || 'application/octet-stream',
})

const gone = (): never => {
  throw new GalleryError({
    code: 'network',
    message: 'The local Whisklens cannot be reached',
    hint: 'Run whisklens up again and open the address that it prints.',
  })
}
