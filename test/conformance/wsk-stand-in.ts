import { existsSync, readFileSync } from 'node:fs'
import openwhisk, { type Dict } from 'openwhisk'
import type { Output, Platform } from './wsk'

/*
 * A substitute for `wsk` where it is not installed: sends the same requests by the npm client. Supports the commands
 * used in tests and docs.
 */

/** Like `wsk`, parses a value as JSON if possible, otherwise keeps it as text. */
function parameterOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

interface Command {
  /** Arguments other than options and their values. */
  words: string[]
  params: Dict
  /** Option values by long name. */
  options: Record<string, string>
}

/** Options without a value, by long name. */
const flags: Record<string, string> = {
  '-r': 'result',
  '--result': 'result',
  '-b': 'blocking',
  '--blocking': 'blocking',
  '--strip': 'strip',
  '--last': 'last',
  '--url': 'url',
  '-i': 'insecure',
}

/** Options with a value. */
const valued: Record<string, string> = {
  '--feed': 'feed',
  '--docker': 'docker',
  '--kind': 'kind',
  '--web': 'web',
  '-m': 'memory',
  '--memory': 'memory',
  '--limit': 'limit',
  '-l': 'limit',
}

function parseCommand(args: string[]): Command {
  const command: Command = { words: [], params: {}, options: {} }
  for (let rest = [...args]; rest.length > 0; ) {
    const [word = '', first = '', second = ''] = rest
    if (word === '-p' || word === '--param') {
      command.params[first] = parameterOf(second)
      rest = rest.slice(3)
    } else if (word === '-P' || word === '--param-file') {
      Object.assign(command.params, JSON.parse(readFileSync(first, 'utf8')))
      rest = rest.slice(2)
    } else if (valued[word]) {
      command.options[valued[word]] = first
      rest = rest.slice(2)
    } else {
      const flag = flags[word]
      if (flag) command.options[flag] = 'true'
      else if (word.startsWith('-')) throw new Error(`The stand-in for wsk has no option ${word}`)
      else command.words.push(word)
      rest = rest.slice(1)
    }
  }
  return command
}

type Client = ReturnType<typeof openwhisk>
type Run = (client: Client, command: Command, names: string[]) => Promise<unknown>

/** Body sent by `wsk action create`. */
function actionOf({ params, options }: Command, file: string | undefined): object {
  const { docker, kind = 'nodejs:default', web, memory } = options
  const code = file && existsSync(file) ? readFileSync(file, 'utf8') : undefined
  return {
    exec: docker ? { kind: 'blackbox', image: docker, code } : { kind, code },
    parameters: Object.entries(params).map(([key, value]) => ({ key, value })),
    annotations: web ? [{ key: 'web-export', value: web === 'true' }] : [],
    limits: memory ? { memory: Number(memory) } : {},
  }
}

const putAction =
  (verb: 'create' | 'update'): Run =>
  (client, command, [name = '', file]) =>
    client.actions[verb]({ name, action: actionOf(command, file) } as never)

interface Activation {
  activationId: string
  name: string
  namespace: string
  start: number
  duration?: number
}

/** A table with the id in the third column. */
const listed = (activations: Activation[]): string =>
  [
    'Datetime            Activation ID                    Duration Entity',
    ...activations.map(({ activationId, name, namespace, start, duration = 0 }) => {
      const [day, time] = new Date(start).toISOString().split(/[T.]/)
      return `${day} ${time} ${activationId} ${duration}ms ${namespace}/${name}`
    }),
  ].join('\n')

/** The client's types are incomplete. */
const askFeed = (
  client: Client,
  event: string,
  name: string,
  trigger: string,
  params?: Dict,
): Promise<unknown> =>
  (client.feeds as unknown as { feed(event: string, options: object): Promise<unknown> }).feed(event, {
    name,
    trigger,
    params,
  })

/** Feed of a trigger; undefined if it has none. */
async function feedOf(client: Client, name: string): Promise<string | undefined> {
  const { annotations = [] } = (await client.triggers.get({ name })) as {
    annotations?: { key: string; value: string }[]
  }
  return annotations.find(({ key }) => key === 'feed')?.value
}

const commands: Record<string, Run> = {
  'action create': putAction('create'),
  'action update': putAction('update'),
  'action delete': (client, _, [name = '']) => client.actions.delete({ name }),
  'action get': (client, _, [name = '']) => client.actions.get({ name }),
  'action list': (client) => client.actions.list(),
  'action invoke': (client, { params, options }, [name = '']) => {
    const blocking = Boolean(options.result ?? options.blocking)
    return client.actions.invoke({ name, params, blocking, result: blocking })
  },
  'trigger fire': (client, { params }, [name = '']) => client.triggers.invoke({ name, params }),
  'trigger create': async (client, { params, options: { feed } }, [name = '']) => {
    const annotations = feed ? [{ key: 'feed', value: feed }] : []
    await client.triggers.create({ name, trigger: { annotations } } as never)
    if (feed) await client.feeds.create({ name: feed, trigger: name, params })
  },
  'trigger get': async (client, _, [name = '']) => {
    const feed = await feedOf(client, name)
    return feed ? askFeed(client, 'READ', feed, name) : client.triggers.get({ name })
  },
  'trigger update': async (client, { params }, [name = '']) => {
    const feed = await feedOf(client, name)
    if (!feed) return client.triggers.update({ name, trigger: {} } as never)
    return askFeed(client, 'UPDATE', feed, name, params)
  },
  'trigger delete': async (client, _, [name = '']) => {
    const feed = await feedOf(client, name)
    if (feed) await client.feeds.delete({ name: feed, trigger: name })
    await client.triggers.delete({ name })
  },
  'trigger list': (client) => client.triggers.list(),
  'rule create': async (client, _, [name = '', trigger = '', action = '']) => {
    await client.rules.create({ name, trigger, action })
    await client.rules.enable({ name })
  },
  'rule delete': (client, _, [name = '']) => client.rules.delete({ name }),
  'rule list': (client) => client.rules.list(),
  'package list': (client) => client.packages.list(),
  'package get': (client, _, [name = '']) => client.packages.get({ name }),
  'activation list': async (client, { options: { limit } }, [name]) => {
    const wanted = { name, ...(limit ? { limit: Number(limit) } : {}) }
    return listed((await client.activations.list(wanted as never)) as Activation[])
  },
  'activation get': async (client, command, names) =>
    client.activations.get({ name: await activationOf(client, command, names) }),
  'activation result': async (client, command, names) =>
    client.activations.result({ name: await activationOf(client, command, names) }),
  'activation logs': async (client, command, names) => {
    const { logs } = (await client.activations.logs({
      name: await activationOf(client, command, names),
    })) as {
      logs: string[]
    }
    // `wsk` prints lines without time and stream.
    return logs
      .map((line) => (command.options.strip ? line.replace(/^\S+ std(out|err): /, '') : line))
      .join('\n')
  },
}

async function activationOf(client: Client, { options }: Command, [id = '']: string[]): Promise<string> {
  if (!options.last) return id
  const [newest] = (await client.activations.list({ limit: 1 })) as { activationId: string }[]
  return newest?.activationId ?? ''
}

/** Like `wsk action get --url`, sends no request. */
function urlOf({ apiHost, namespace }: Platform, name: string): string {
  const [action = '', inPackage = 'default'] = name.split('/').reverse()
  return `${apiHost}/api/v1/web/${namespace}/${inPackage}/${action}`
}

/** Runs a `wsk` command without the program. */
export async function standInForWsk(platform: Platform, args: string[]): Promise<Output> {
  const command = parseCommand(args)
  const [noun = '', verb = '', ...names] = command.words
  const { apiHost, auth, insecure } = platform
  const client = openwhisk({ apihost: apiHost, api_key: auth, ignore_certs: insecure })
  const run = commands[`${noun} ${verb}`]
  if (!run) throw new Error(`There is no stand-in for: wsk ${args.join(' ')}`)
  if (command.options.url) return { code: 0, stdout: `${urlOf(platform, names[0] ?? '')}\n`, stderr: '' }
  try {
    const answer = await run(client, command, names)
    const stdout = typeof answer === 'string' ? answer : JSON.stringify(answer ?? null)
    return { code: 0, stdout: `${stdout}\n`, stderr: '' }
  } catch (thrown) {
    return { code: 1, stdout: '', stderr: String(thrown) }
  }
}
