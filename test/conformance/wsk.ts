import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import openwhisk, { type Dict } from 'openwhisk'

/** Where OpenWhisk answers, and as whom. */
export interface Platform {
  apiHost: string
  /** `uuid:key`. */
  auth: string
  namespace: string
  /** The certificate cannot be verified, as on premises. */
  insecure?: boolean
}

export interface Output {
  code: number | null
  stdout: string
  stderr: string
}

/** The path of a program on PATH. */
export const programOnPath = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync)

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Output> {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (text) => {
    output.stdout += text
  })
  child.stderr.on('data', (text) => {
    output.stderr += text
  })
  const [code] = await once(child, 'close')
  return { ...output, code: code as number | null }
}

const wskBinary = programOnPath('wsk')
export const hasWsk = wskBinary !== undefined

const isThrottled = ({ code, stdout, stderr }: Output): boolean =>
  code !== 0 && /Too many (concurrent )?requests/.test(stdout + stderr)

/** The platform counts by minutes of the clock; what it refuses counts as well. */
export const untilNextMinute = (): Promise<void> => sleep(60_000 - (Date.now() % 60_000) + 500)

/** Runs a call again in the next minute for as long as it is throttled. */
export async function paced(call: () => Promise<Output>): Promise<Output> {
  for (let minutes = 0; ; minutes++) {
    const output = await call()
    if (!isThrottled(output) || minutes === 5) return output
    await untilNextMinute()
  }
}

/**
 * Runs a command of `wsk`: the program where it is on PATH, else the same requests by the npm client. A throttled
 * command is run again in the next minute.
 */
export const wsk = (platform: Platform, ...args: string[]): Promise<Output> =>
  paced(() => (wskBinary ? realWsk(wskBinary, platform, args) : standInForWsk(platform, args)))

function realWsk(program: string, { apiHost, auth, insecure }: Platform, args: string[]): Promise<Output> {
  const connection = ['--apihost', apiHost, '--auth', auth, ...(insecure ? ['-i'] : [])]
  return runProgram(program, [...args, ...connection], { env: { ...process.env, HOME: '/nonexistent' } })
}

/** `wsk` takes a value for JSON where it is some, and for text otherwise. */
function parameterOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

interface Command {
  /** What is neither an option nor its value. */
  words: string[]
  params: Dict
  feed?: string
  isBlocking: boolean
}

function parseCommand(args: string[]): Command {
  const command: Command = { words: [], params: {}, isBlocking: false }
  for (let rest = [...args]; rest.length > 0; ) {
    const [word = '', ...more] = rest
    if (word === '-p' || word === '--param') {
      command.params[more[0] ?? ''] = parameterOf(more[1] ?? '')
      rest = more.slice(2)
    } else if (word === '-P' || word === '--param-file') {
      Object.assign(command.params, JSON.parse(readFileSync(more[0] ?? '', 'utf8')))
      rest = more.slice(1)
    } else if (word === '--feed') {
      command.feed = more[0]
      rest = more.slice(1)
    } else {
      if (['-r', '--result', '-b', '--blocking'].includes(word)) command.isBlocking = true
      else command.words.push(word)
      rest = more
    }
  }
  return command
}

type Client = ReturnType<typeof openwhisk>

const commands: Record<string, (client: Client, command: Command, names: string[]) => Promise<unknown>> = {
  'action invoke': (client, { params, isBlocking }, [name = '']) =>
    client.actions.invoke({ name, params, blocking: isBlocking, result: isBlocking }),
  'trigger fire': (client, { params }, [name = '']) => client.triggers.invoke({ name, params }),
  'trigger create': async (client, { params, feed }, [name = '']) => {
    const annotations = feed ? [{ key: 'feed', value: feed }] : []
    await client.triggers.create({ name, trigger: { annotations } } as never)
    if (feed) await client.feeds.create({ name: feed, trigger: name, params })
  },
  'trigger delete': async (client, _, [name = '']) => {
    const { annotations = [] } = (await client.triggers.get({ name })) as {
      annotations?: { key: string; value: string }[]
    }
    const feed = annotations.find(({ key }) => key === 'feed')?.value
    if (feed) await client.feeds.delete({ name: feed, trigger: name })
    await client.triggers.delete({ name })
  },
  'rule create': async (client, _, [name = '', trigger = '', action = '']) => {
    await client.rules.create({ name, trigger, action })
    await client.rules.enable({ name })
  },
  'rule delete': (client, _, [name = '']) => client.rules.delete({ name }),
  'activation list': (client, _, [name]) => client.activations.list({ name } as never),
}

/** As {@link wsk} where the program is missing. */
export async function standInForWsk({ apiHost, auth, insecure }: Platform, args: string[]): Promise<Output> {
  const command = parseCommand(args)
  const [noun = '', verb = '', ...names] = command.words
  const client = openwhisk({ apihost: apiHost, api_key: auth, ignore_certs: insecure })
  const run = commands[`${noun} ${verb}`]
  if (!run) throw new Error(`There is no stand-in for: wsk ${args.join(' ')}`)
  try {
    const answer = await run(client, command, names)
    return { code: 0, stdout: `${JSON.stringify(answer ?? null)}\n`, stderr: '' }
  } catch (thrown) {
    return { code: 1, stdout: '', stderr: String(thrown) }
  }
}
