import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { homeFolder } from '../../paths'
import { connectionsTo } from '../../storage/connections'
import { type Connection, needStore } from '../shared/connection'
import { absent, type Check, ok } from './finding'

/** Errors, too, tell which pages may read them: there need not be such an object. */
const anyKey = 'whisklens-doctor'

/** What the origin in docs/policies/cors.json is. */
const placeholder = 'https://apihost.example.com'

const patience = 10_000

/** Whether the gallery page, which comes from the API host, may read the results bucket in a browser. */
export async function checkCors(connection: Connection): Promise<Check> {
  const { apiHost = '', settings } = connection
  const { origin } = new URL(/^https?:/.test(apiHost) ? apiHost : `https://${apiHost}`)
  const missing = await missingFor(origin, connection)
  if (missing.length === 0) return ok(`pages of ${origin} may read ${settings.resultsBucket}`)
  const path = join(homeFolder(), 'docs', 'policies', 'cors.json')
  const rules = `"$(sed s,${placeholder},${origin}, ${path})"`
  const target = `--endpoint-url ${settings.s3Endpoint} --bucket ${settings.resultsBucket}`
  return absent(
    `the gallery page of ${origin} cannot read ${settings.resultsBucket}: ${missing.join('; ')}`,
    `aws s3api put-bucket-cors ${target} --cors-configuration ${rules}`,
  )
}

/** What the store does not let a page do. */
async function missingFor(origin: string, connection: Connection): Promise<string[]> {
  const { resultsBucket } = connection.settings
  const url = needStore(connection).bucket(resultsBucket).presign(anyKey, 60)
  const read = await headersOf(connection, url, 'GET', { origin })
  const asked = { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'range' }
  const preflight = await headersOf(connection, url, 'OPTIONS', asked)
  const allows = ({ headers }: IncomingMessage) => has(headers['access-control-allow-origin'], origin)
  const isAnswered = (preflight.statusCode ?? 500) < 300 && allows(preflight)
  return [
    !allows(read) && 'it may not read objects',
    allows(read) &&
      !has(read.headers['access-control-expose-headers'], 'content-range') &&
      'Content-Range is not exposed',
    !(isAnswered && has(preflight.headers['access-control-allow-headers'], 'range')) &&
      'Range is not allowed',
  ].filter((text) => text !== false)
}

/** Whether a list in a header has an element, or all. */
const has = (list: string | undefined, element: string): boolean =>
  (list ?? '')
    .toLowerCase()
    .split(/ *, */)
    .some((one) => one === '*' || one === element.toLowerCase())

/** Asks as a browser would: fetch of Node.js sets headers of its own. */
async function headersOf(
  { settings, trust }: Connection,
  url: string,
  method: 'GET' | 'OPTIONS',
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  const agent = connectionsTo(url, { ca: settings.ca, insecure: trust.insecure })
  const request = url.startsWith('http:') ? httpRequest : httpsRequest
  const sent = request(url, { method, headers, agent, signal: AbortSignal.timeout(patience) }).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  return answer
}
