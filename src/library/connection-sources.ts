import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import * as z from 'zod'
import { environmentName, isSet, type Settings, settingNames, settingsFromEnvironment } from '../config'
import { InvalidInputError, messageOf } from '../errors'
import { connectionSchema } from '../local-connection'
import type { Trust } from '../trust'

/** Whatever one source says of where to talk to; everything may be missing. */
export type Partly = Partial<Settings> & { apiHost?: string; auth?: string; namespace?: string }

/** Paths of the client certificate for the API host, and of its key. */
export interface IdentityFiles {
  cert?: string
  key?: string
}

const configFile = 'whisklens.config.json'

/** All but `ca`: the working folder must not decide which authorities are trusted. */
const fileSettings = settingNames.filter((name) => name !== 'ca')

const text = z.string().min(1).optional()
/** `whisklens.config.json`. */
export const configSchema = z.strictObject({
  ...Object.fromEntries(fileSettings.map((name) => [name, text])),
  apiHost: text,
  auth: text,
  namespace: text,
})

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((thrown) => {
    if (['ENOENT', 'ENOTDIR'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new InvalidInputError('bad_setting', `Could not read ${path}: ${messageOf(thrown)}`, {
      cause: thrown,
    })
  })

function parseFile<T>(path: string, content: string, schema: z.ZodType<T>): T {
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch (thrown) {
    // The parser's message quotes the text around the mistake, which may be a key.
    const why = messageOf(thrown).replace(/, .* is not valid JSON$/s, '')
    throw new InvalidInputError('bad_setting', `${path} is not JSON: ${why}`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path: at, message }) => [...at, message].join(': '))
  throw new InvalidInputError('bad_setting', `${path} is not valid: ${problems.join('; ')}`, {
    hint: path.endsWith(configFile)
      ? `Known settings: ${[...fileSettings, 'apiHost', 'auth', 'namespace'].join(', ')}.`
      : undefined,
  })
}

/** `WHISKLENS_…`; a setting that is not set there is left to the other sources, its default included. */
export function fromEnvironment(env: NodeJS.ProcessEnv): Partly {
  const all = settingsFromEnvironment(env)
  // What counts as not set was replaced by its default, and so is no longer what the environment says.
  const given = settingNames.filter((name) => isSet(env[environmentName(name)]))
  return {
    ...Object.fromEntries(given.map((name) => [name, all[name]])),
    apiHost: env.WHISKLENS_APIHOST || undefined,
    auth: env.WHISKLENS_AUTH || undefined,
    namespace: env.WHISKLENS_NAMESPACE || undefined,
  }
}

/** `whisklens.config.json` of a folder. @throws InvalidInputError when it holds what it must not */
export async function fromConfigFile(folder: string): Promise<Partly> {
  const path = join(folder, configFile)
  const content = await readIfThere(path)
  return content === undefined ? {} : parseFile(path, content, configSchema)
}

/** The local mode that runs on a data folder; undefined when none does. */
export async function fromLocalMode(dataDir: string): Promise<Partly | undefined> {
  const path = join(dataDir, 'connection.json')
  const content = await readIfThere(path)
  if (content === undefined) return undefined
  const { apiHost, auth, namespace, s3, imagesBucket, resultsBucket } = parseFile(
    path,
    content,
    connectionSchema,
  )
  // A local mode that was killed leaves its file behind.
  if (!(await answers(apiHost))) return undefined
  return {
    apiHost,
    auth,
    namespace,
    s3Endpoint: s3.endpoint,
    s3Region: s3.region,
    s3AccessKeyId: s3.accessKeyId,
    s3SecretAccessKey: s3.secretAccessKey,
    s3Encryption: s3.encryption,
    imagesBucket,
    resultsBucket,
  }
}

/** Whether anything listens there; on one machine that is known at once. */
function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 2000 })
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
    socket.once('timeout', () => done(false))
  })
}

/** The file that `wsk` reads: WSK_CONFIG_FILE, or `~/.wskprops`. */
export async function fromWskProps(env: NodeJS.ProcessEnv): Promise<Partly & IdentityFiles> {
  const content = await readIfThere(env.WSK_CONFIG_FILE || join(env.HOME ?? homedir(), '.wskprops'))
  const props = new Map<string, string>()
  for (const line of (content ?? '').split(/\r?\n/)) {
    const match = /^\s*([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (match?.[1] && match[2]) props.set(match[1], match[2].replace(/^(["'])(.*)\1$/, '$2'))
  }
  const names = { apiHost: 'APIHOST', auth: 'AUTH', namespace: 'NAMESPACE', cert: 'CERT', key: 'KEY' }
  return Object.fromEntries(Object.entries(names).map(([name, line]) => [name, props.get(line)]))
}

/** Reads the client certificate and its key; like `wsk`, both or neither. @throws InvalidInputError */
export async function readIdentity({ cert, key }: IdentityFiles): Promise<Pick<Trust, 'cert' | 'key'>> {
  if (!cert && !key) return {}
  const [certText, keyText] = await Promise.all([cert, key].map((path = '') => readIfThere(path)))
  try {
    if (!certText || !keyText) throw new Error('one of them is missing')
    createSecureContext({ cert: certText, key: keyText })
    return { cert: certText, key: keyText }
  } catch (cause) {
    throw new InvalidInputError(
      'bad_setting',
      `CERT and KEY of ~/.wskprops cannot be used: ${messageOf(cause)}`,
      {
        hint: 'They are the paths of a client certificate for the API host and of its key, in PEM.',
        cause,
      },
    )
  }
}
