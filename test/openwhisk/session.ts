import type { Dict } from 'openwhisk'
import { eventually } from '../contract/api-host'
import { openServer, type Server } from './server'

export interface Answer {
  status: number
  type: string
  /** Parsed JSON, otherwise text. */
  body: Dict
}

export interface Request {
  /** Objects are sent as JSON. */
  body?: object | string
  headers?: Record<string, string>
}

/** Requests to a target, and cleanup of its namespace. */
export class Session {
  private readonly made: string[] = []

  namespace = ''

  private constructor(readonly server: Server) {}

  /** @param images see {@link openServer} */
  static async open(images?: Parameters<typeof openServer>[0]): Promise<Session> {
    const session = new Session(await openServer(images))
    const { body } = await session.send('GET', 'namespaces')
    session.namespace = String(body[0])
    return session
  }

  /** Sends one request below `/api/v1`, without retries. */
  async send(method: string, path: string, { body, headers = {} }: Request = {}): Promise<Answer> {
    const authorization = `Basic ${Buffer.from(this.server.auth).toString('base64')}`
    const isJson = body !== undefined
    const response = await fetch(`${this.server.url}/api/v1/${path}`, {
      method,
      headers: { authorization, ...(isJson && { 'content-type': 'application/json' }), ...headers },
      body: typeof body === 'object' ? JSON.stringify(body) : body,
    })
    const text = await response.text()
    const type = response.headers.get('content-type') ?? ''
    return {
      status: response.status,
      type,
      body: type.startsWith('application/json') ? JSON.parse(text) : text,
    }
  }

  /** Sends a request below the namespace; retries in the next minute if it was throttled. */
  async ask(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await this.send(method, `namespaces/_/${path}`, { body })
    const isLate = answer.status === 429 && answer.body.error.includes('in the last minute')
    if (!isLate) return answer
    await this.server.nextMinute()
    return this.send(method, `namespaces/_/${path}`, { body })
  }

  /** Creates or updates an entity, which `close` deletes. */
  async put(path: string, content: object): Promise<Dict> {
    const { status, body } = await this.ask('PUT', `${path}?overwrite=true`, content)
    if (status !== 200) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(body)}`)
    if (!this.made.includes(path)) this.made.push(path)
    return body
  }

  /** Deploys plain code. */
  action(name: string, code: string, more: object = {}): Promise<Dict> {
    return this.put(`actions/${name}`, { exec: { kind: 'nodejs:default', code }, ...more })
  }

  sequence(name: string, ...actions: string[]): Promise<Dict> {
    const components = actions.map((action) => `/_/${action}`)
    return this.put(`actions/${name}`, { exec: { kind: 'sequence', components } })
  }

  async rule(name: string, trigger: string, action: string): Promise<void> {
    await this.put(`rules/${name}`, { trigger: `/_/${trigger}`, action: `/_/${action}` })
  }

  /** Result of a blocking invocation. */
  async resultOf(action: string, payload: object = {}): Promise<Dict> {
    const { body } = await this.ask('POST', `actions/${action}?blocking=true&result=true`, payload)
    return body
  }

  /** Waits for the record of an activation. */
  activation(id: string): Promise<Dict> {
    return eventually(async () => {
      const { status, body } = await this.ask('GET', `activations/${id}`)
      if (status !== 200) throw new Error(`There is no record of ${id}: ${status}`)
      return body
    }, 60_000)
  }

  /** Fires a trigger. @returns its activation, and the log line of each rule */
  async fire(trigger: string, payload: object = {}): Promise<{ activation: Dict; lines: string[] }> {
    const { status, body } = await this.ask('POST', `triggers/${trigger}`, payload)
    if (status !== 202) throw new Error(`The fire of ${trigger} was answered by ${status}`)
    const activation = await this.activation(body.activationId)
    return { activation, lines: activation.logs }
  }

  /** Lists activations. @param query query string */
  async listed(query: string): Promise<Dict[]> {
    const { body } = await this.ask('GET', `activations?${query}`)
    return body as unknown as Dict[]
  }

  /** Deletes the entities created by {@link put}. */
  async close(): Promise<void> {
    for (const path of this.made.reverse()) await this.ask('DELETE', path)
    await this.server.close()
  }
}

export const keyValues = (values: object): { key: string; value: unknown }[] =>
  Object.entries(values).map(([key, value]) => ({ key, value }))

/** Annotations are unordered. */
export const sort = (annotations: { key: string }[]): { key: string }[] =>
  [...annotations].sort((a, b) => a.key.localeCompare(b.key))
