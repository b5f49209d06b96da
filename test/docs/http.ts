import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Connection } from '../../src/local-connection'

export interface Request {
  method: string
  /** Path or absolute URL. */
  target: string
  headers: Record<string, string>
  body: string
}

/** Parses a request as written on a page: request line, headers, empty line, body. */
export function readRequest(block: string): Request {
  const [head = '', ...rest] = block.trim().split(/\r?\n\r?\n/)
  const [first = '', ...lines] = head.split(/\r?\n/)
  const [, method, target] = /^([A-Z]+) (\S+)(?: HTTP\/1\.1)?$/.exec(first) ?? []
  if (!method || !target) throw new Error(`"${first}" begins no request`)
  const headers = lines.map((line) => {
    const [, name, value] = /^([\w-]+): (.*)$/.exec(line) ?? []
    if (!name || value === undefined) throw new Error(`"${line}" is no header`)
    return [name.toLowerCase(), value]
  })
  return { method, target, headers: Object.fromEntries(headers), body: rest.join('\n\n') }
}

/** Sends a request to the local mode, whatever its host. */
export async function sendRequest(block: string, { apiHost }: Connection) {
  const { method, target, headers, body } = readRequest(block)
  const { pathname, search } = new URL(target, apiHost)
  const outgoing = request(new URL(pathname + search, apiHost), { method, headers })
  outgoing.end(body)
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
  })
}
