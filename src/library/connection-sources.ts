import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import * as z from 'zod'
import { environmentName, isSet, type Settings, settingNames, settingsFromEnvironment } from '../config'
import { InvalidInputError, messageOf } from '../errors'
import { connectionFileSchema } from '../local-connection'
import type { Trust } from '../trust'

/** Settings from one source. */
export type PartialConnection = Partial<Settings> & { apiHost?: string; auth?: string; namespace?: string }

/** Paths of the PEM files of a client certificate for the API host. */
export interface IdentityFiles {
  cert?: string
  key?: string
}

/** Settings without which no object store can be opened. */
export const neededOfStore = ['s3Endpoint', 's3AccessKeyId', 's3SecretAccessKey'] as const

/** Settings that belong to one object store: all from one source. */
export const storeSettings = [
  ...neededOfStore,
  's3Region',
  's3Encryption',
  'imagesBucket',
  'resultsBucket',
] as const

const configFile = 'whisklens.config.json'

/** All except `ca`: a file in the working folder must not decide which certificate authorities are trusted. */
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
    // The parser's message quotes text around the error, which may be a secret key.
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

/** Settings from `WHISKLENS_…` variables. Unset ones are left to the other sources, without defaults. */
export function fromEnvironment(env: NodeJS.ProcessEnv): PartialConnection {
  const all = settingsFromEnvironment(env)
  // settingsFromEnvironment() fills in defaults; drop them.
  const given = settingNames.filter((name) => isSet(env[environmentName(name)]))
  return {
    ...Object.fromEntries(given.map((name) => [name, all[name]])),
    apiHost: env.WHISKLENS_APIHOST || undefined,
    auth: env.WHISKLENS_AUTH || undefined,
    namespace: env.WHISKLENS_NAMESPACE || undefined,
  }
}

/** Reads `whisklens.config.json`. @throws InvalidInputError if it is not valid */
export async function fromConfigFile(folder: string): Promise<PartialConnection> {
  const path = join(folder, configFile)
  const content = await readIfThere(path)
  return content === undefined ? {} : parseFile(path, content, configSchema)
}

/** A running local mode. */
export interface LocalMode {
  connection: PartialConnection & { apiHost: string; s3Endpoint: string }
  /** The settings that it deployed. */
  deployed: Partial<Settings>
}

/** The local mode that runs on a data folder; undefined if none runs. */
export async function fromLocalMode(dataDir: string): Promise<LocalMode | undefined> {
  const path = join(dataDir, 'connection.json')
  const content = await readIfThere(path)
  if (content === undefined) return undefined
  const { apiHost, auth, namespace, s3, imagesBucket, resultsBucket, deployed } = parseFile(
    path,
    content,
    connectionFileSchema,
  )
  // A killed local mode leaves its connection file behind.
  if (!(await answers(apiHost))) return undefined
  const connection = {
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
  return { connection, deployed: deployed as Partial<Settings> }
}

/** Whether the port accepts connections. Local, so the answer is immediate. */
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

/** Reads the settings of `wsk`: WSK_CONFIG_FILE, or `~/.wskprops`. */
export async function fromWskProps(env: NodeJS.ProcessEnv): Promise<PartialConnection & IdentityFiles> {
  const content = await readIfThere(env.WSK_CONFIG_FILE || join(env.HOME ?? homedir(), '.wskprops'))
  const props = new Map<string, string>()
  for (const line of (content ?? '').split(/\r?\n/)) {
    const match = /^\s*([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (match?.[1] && match[2]) props.set(match[1], match[2].replace(/^(["'])(.*)\1$/, '$2'))
  }
  const names = { apiHost: 'APIHOST', auth: 'AUTH', namespace: 'NAMESPACE', cert: 'CERT', key: 'KEY' }
  return Object.fromEntries(Object.entries(names).map(([name, line]) => [name, props.get(line)]))
}

/** Reads the client certificate and key. As with `wsk`, both or neither. @throws InvalidInputError */
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
