import { createHash, createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ObjectStore, type ObjectStoreOptions, startObjectStore } from '../../src/local/store/server'

export const region = 'us-east-1'
export const credentials = { accessKeyId: 'access', secretAccessKey: 'secret' }

export const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
export const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

/** A store in a temporary folder; `remove` stops it and deletes the folder. */
export async function temporaryStore(options: Partial<ObjectStoreOptions> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'whisklens-store-'))
  const start = () => startObjectStore({ dataDir, port: 0, region, credentials, ...options })
  let store: ObjectStore = await start()
  return {
    dataDir,
    get endpoint() {
      return store.endpoint
    },
    setNotifications: (...list: Parameters<ObjectStore['setNotifications']>) =>
      store.setNotifications(...list),
    stop: () => store.close(),
    async start() {
      store = await start()
    },
    async remove() {
      await store.close()
      await rm(dataDir, { recursive: true })
    },
  }
}

export interface Sent {
  /** Percent-encoded, sent unchanged on the request line. */
  path: string
  method?: string
  query?: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** `20260131T235959Z`; now by default. */
  date?: string
  secret?: string
  accessKeyId?: string
  service?: string
}

export interface Received {
  status: number
  headers: NodeJS.Dict<string | string[]>
  text: string
  /** S3 error code. */
  code?: string
}

const amzDate = (): string => new Date().toISOString().replace(/[-:]|\.\d+/g, '')

export const signingKey = (day: string, secret = credentials.secretAccessKey, service = 's3'): Buffer =>
  [day, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`))

export const scopeOf = (day: string, service = 's3'): string => `${day}/${region}/${service}/aws4_request`

/** Signs a request. @param sent with an encoded, sorted query @returns all headers, and the signature */
export function signHeaders(endpoint: string, sent: Sent) {
  const { path, method = 'GET', query = '', body = '', date = amzDate(), secret, service } = sent
  const headers: Record<string, string> = {
    host: new URL(endpoint).host,
    'x-amz-content-sha256': sha256(body),
    'x-amz-date': date,
    ...sent.headers,
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    method,
    path,
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n')
  const day = date.slice(0, 8)
  const toSign = ['AWS4-HMAC-SHA256', date, scopeOf(day, service), sha256(canonical)].join('\n')
  const signature = hmac(signingKey(day, secret, service), toSign).toString('hex')
  const credential = `Credential=${sent.accessKeyId ?? credentials.accessKeyId}/${scopeOf(day, service)}`
  headers.authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { headers, signature, date }
}

/** Sends a request without normalising its path. */
export function sendRaw(
  endpoint: string,
  { path, method = 'GET', query, headers, body }: Sent,
): Promise<Received> {
  const { hostname, port } = new URL(endpoint)
  return new Promise((resolve, reject) => {
    const target = query ? `${path}?${query}` : path
    const outgoing = request({ hostname, port, method, path: target, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('error', reject)
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const code = /<Error><Code>(\w+)</.exec(text)?.[1]
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, code })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export const send = (endpoint: string, sent: Sent): Promise<Received> =>
  sendRaw(endpoint, { ...sent, headers: signHeaders(endpoint, sent).headers })

export const put = (
  endpoint: string,
  path: string,
  body: string | Buffer = '',
  headers = {},
): Promise<Received> => send(endpoint, { method: 'PUT', path, body, headers })

/** Percent-encodes a key as S3 clients do. */
export const encodeKey = (key: string): string =>
  encodeURIComponent(key)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')

/** A URL's path and query, presigned for GET. */
export function presign(endpoint: string, path: string, { date = amzDate(), expires = '60' } = {}): Sent {
  const day = date.slice(0, 8)
  const query = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scopeOf(day)}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': expires,
    'X-Amz-SignedHeaders': 'host',
  }).toString()
  const host = new URL(endpoint).host
  const canonical = ['GET', path, query, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', date, scopeOf(day), sha256(canonical)].join('\n')
  return { path, query: `${query}&X-Amz-Signature=${hmac(signingKey(day), toSign).toString('hex')}` }
}

/** All keys of a bucket, in listing order. */
export async function listKeys(endpoint: string, bucket: string): Promise<string[]> {
  const { text } = await send(endpoint, { path: `/${bucket}`, query: 'encoding-type=url&list-type=2' })
  return [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key = '']) => decodeURIComponent(key))
}
