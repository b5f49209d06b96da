import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { clientOf, webAddress } from '../../openwhisk/client'
import { namespaceOf } from '../../openwhisk/deploy/resources'
import { homeFolder } from '../../paths'
import { connectionsTo } from '../../storage/connections'
import { type Connection, needOpenWhisk, needStore } from '../shared/connection'
import { absent, type Check, ok } from './finding'

/** Any key: CORS headers are sent with errors, too. */
const anyKey = 'whisklens-doctor'

/** Origin to replace in docs/policies/cors.json. */
const placeholder = 'https://apihost.example.com'

const timeout = 10_000

/** Checks that the gallery page, served by the API host, may read the results bucket. */
export async function checkCors(connection: Connection): Promise<Check> {
  const { settings } = connection
  const address = needOpenWhisk(connection)
  const gallery = webAddress(address.apiHost, await namespaceOf(clientOf(address)), 'results')
  const { origin } = new URL(gallery)
  const missing = await missingFor(origin, connection)
  if (missing.length === 0) return ok(`${gallery} may read ${settings.resultsBucket}`)
  const path = join(homeFolder(), 'docs', 'policies', 'cors.json')
  const rules = `"$(sed s,${placeholder},${origin}, ${path})"`
  const target = `--endpoint-url ${settings.s3Endpoint} --bucket ${settings.resultsBucket}`
  return absent(
    `${gallery} cannot read ${settings.resultsBucket}: ${missing.join('; ')}`,
    `aws s3api put-bucket-cors ${target} --cors-configuration ${rules}`,
  )
}

/** What CORS does not allow. */
async function missingFor(origin: string, connection: Connection): Promise<string[]> {
  const { resultsBucket } = connection.settings
  const url = needStore(connection).bucket(resultsBucket).presign(anyKey, 60)
  const read = await headersOf(connection, url, 'GET', { origin })
  const requested = {
    origin,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'range',
  }
  const preflight = await headersOf(connection, url, 'OPTIONS', requested)
  const allows = ({ headers }: IncomingMessage) => has(headers['access-control-allow-origin'], origin)
  const isAnswered = (preflight.statusCode ?? 500) < 300 && allows(preflight)
  return [
    !allows(read) && 'reading objects is not allowed',
    allows(read) &&
      !has(read.headers['access-control-expose-headers'], 'content-range') &&
      'Content-Range is not exposed',
    !(isAnswered && has(preflight.headers['access-control-allow-headers'], 'range')) &&
      'Range is not allowed',
  ].filter((text) => text !== false)
}

/** Whether a comma-separated header contains an element or `*`. */
const has = (list: string | undefined, element: string): boolean =>
  (list ?? '')
    .toLowerCase()
    .split(/ *, */)
    .some((one) => one === '*' || one === element.toLowerCase())

/** Sends a request as a browser would; fetch() in Node.js adds headers. */
async function headersOf(
  { settings, trust }: Connection,
  url: string,
  method: 'GET' | 'OPTIONS',
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  const agent = connectionsTo(url, { ca: settings.ca, insecure: trust.insecure })
  const request = url.startsWith('http:') ? httpRequest : httpsRequest
  const sent = request(url, { method, headers, agent, signal: AbortSignal.timeout(timeout) }).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  return answer
}
