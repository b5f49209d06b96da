import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { InvalidInputError, messageOf } from './errors'
import { certificatesIn, pemIn } from './trust'

/** wskdeploy passes an unset variable as an empty string or as its own name; both mean "not set". */
const setting = z
  .string()
  .transform((text) => (text === '' || /^\$\{?WHISKLENS_\w+\}?$/.test(text) ? undefined : text))
  .optional()

const withDefault = (fallback: string) => setting.transform((text) => text ?? fallback)

/** A price as text, with an exponent as JavaScript writes very small numbers. */
export const priceSchema = z
  .string()
  .regex(/^\d+(\.\d+)?(e-?\d{1,2})?$/, 'expected a number of 0 or more, such as 0.000017')

/** Price of a GB-second at large providers of OpenWhisk, US dollars. */
export const defaultGbSecondPrice = '0.000017'

/** Encryption at rest, as S3 names it. */
export const encryptionSchema = z.enum(['AES256', 'aws:kms'])

/** Plain http is allowed only for loopback addresses, where messages cannot be intercepted. */
export const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)

/** Issues do not contain the value: the path may be secret. */
const webhookUrlSchema = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))
}, 'expected an https URL; http only for loopback addresses')

/** Standard Webhooks: 24 to 64 bytes in base64, with or without the prefix. */
const webhookSecretSchema = z.string().refine((text) => {
  const base64 = text.replace(/^whsec_/, '')
  const { length } = Buffer.from(base64, 'base64')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && length >= 24 && length <= 64
}, 'expected 24 to 64 random bytes in base64: whsec_$(openssl rand -base64 32)')

/** Without a scheme, the SDK would look for a host of that name for seconds. */
const endpointSchema = z
  .string()
  .refine(
    (text) => /^https?:\/\//.test(text) && URL.canParse(text),
    'expected a URL that begins with http:// or https://',
  )

/** The settings of a deployment. */
export const settingsSchema = z.object({
  s3Endpoint: setting
    .pipe(endpointSchema.optional())
    .describe('URL of the object store: `http://…` or `https://…`.'),
  s3Region: withDefault('us-east-1').describe('Region of the object store.'),
  s3AccessKeyId: setting.describe('Access key of the object store.'),
  s3SecretAccessKey: setting.describe('Secret of the access key.'),
  s3SessionToken: setting.describe('Session token of temporary credentials.'),
  s3Encryption: setting
    .pipe(encryptionSchema.optional())
    .describe('Encryption that every write requests: `AES256` or `aws:kms`.'),
  s3KmsKeyId: setting.describe("Key for `aws:kms`. The store's default key unless given."),
  imagesBucket: withDefault('images').describe('Bucket of the images.'),
  resultsBucket: withDefault('results').describe('Bucket of records, summaries and the state of batches.'),
  runtimeImage: setting.describe(
    'Docker image of `classify` and `predict`. Read when `manifest.yaml` is deployed; no package input.',
  ),
  eventsToken: setting.describe(
    'Token that `bucket-events` requires of notifications. All requests are refused unless given.',
  ),
  resultsToken: setting.describe(
    'Token that `results` and `predict` require. Unless given, `results` refuses all requests, and `predict` is open to all.',
  ),
  // A runtime image names in its environment what it has. Without that, the best engine, and the model that suits it.
  model: setting
    .transform((name) => name ?? (process.env.WHISKLENS_MODEL || 'default'))
    .describe('Name of the model. `default` is the one in the package that suits the engine.')
    .meta({ defaultText: '`default`' }),
  engine: setting
    .transform((name) => name ?? (process.env.WHISKLENS_ENGINE || 'auto'))
    .describe('Engine that runs the model. `auto` is the fastest one that is installed and runs it.')
    .meta({ defaultText: '`auto`' }),
  // wsk makes a number of what looks like one.
  gbSecondPrice: z
    .preprocess(
      (value) => (typeof value === 'number' ? String(value) : value),
      withDefault(defaultGbSecondPrice).pipe(priceSchema),
    )
    .describe('Price of a GB-second, in a currency of your choice, for `cost` and `maxCost`.'),
  thumbnails: z
    .preprocess(
      (value) => (typeof value === 'boolean' ? String(value) : value),
      setting.pipe(z.enum(['true', 'false']).optional()),
    )
    .describe(
      '`true` has `classify` make a thumbnail of each image of a bucket. The local mode does unless `false`.',
    ),
  ca: setting
    .transform((text) => text && certificatesIn(text))
    .describe(
      'Certificates of private authorities, PEM, for the object store, OpenWhisk and the webhook. In the environment also the path of a file.',
    ),
  webhookUrl: setting
    .pipe(webhookUrlSchema.optional())
    .describe('`https` URL that gets a message for each batch that ends. Needs `WHISKLENS_WEBHOOK_SECRET`.'),
  webhookSecret: setting
    .pipe(webhookSecretSchema.optional())
    .describe('Key that signs messages of the webhook: `whsec_` and 24 to 64 random bytes in base64.'),
})

export type Settings = z.infer<typeof settingsSchema>
export type SettingName = keyof Settings

export const settingNames = Object.keys(settingsSchema.shape) as SettingName[]

/** `s3AccessKeyId` → `WHISKLENS_S3_ACCESS_KEY_ID`. */
export const environmentName = (name: SettingName): string =>
  `WHISKLENS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/**
 * The package input of a setting. The platform refuses invocations that override an input, so a default that
 * invocations may override has another name.
 */
export const inputName = (name: SettingName): string => (name === 'model' ? 'defaultModel' : name)

/** All package inputs. The runtime image is part of the manifest instead. */
export const packageInputs: string[] = settingNames.filter((name) => name !== 'runtimeImage').map(inputName)

/** Parses settings by name. @throws InvalidInputError */
export function parseSettings(source: Partial<Record<SettingName, unknown>>): Settings {
  const parsed = settingsSchema.safeParse(source)
  if (parsed.success) return paired(parsed.data)
  throw new InvalidInputError('bad_setting', `The settings are not valid: ${z.prettifyError(parsed.error)}`)
}

/** Requires a secret for the webhook: the signature is the receiver's only proof of the sender. */
function paired(settings: Settings): Settings {
  if (!settings.webhookUrl || settings.webhookSecret) return settings
  throw new InvalidInputError(
    'bad_setting',
    'WHISKLENS_WEBHOOK_URL is set without WHISKLENS_WEBHOOK_SECRET',
    {
      hint: 'Set both: export WHISKLENS_WEBHOOK_SECRET="whsec_$(openssl rand -base64 32)"',
    },
  )
}

/** Parses the settings among an action's parameters; ignores others. @throws InvalidInputError */
export const settingsFromParams = (params: Record<string, unknown>): Settings =>
  parseSettings(Object.fromEntries(settingNames.map((name) => [name, params[inputName(name)]])))

/** Whether an input or a variable counts as set. */
export const isSet = (text: unknown): text is string => setting.parse(text) !== undefined

/** Parses the settings in the environment (`WHISKLENS_…`), where `ca` may be the path of a PEM file. */
export function settingsFromEnvironment(env: NodeJS.ProcessEnv = process.env): Settings {
  const texts = Object.fromEntries(settingNames.map((name) => [name, env[environmentName(name)]]))
  return parseSettings({ ...texts, ca: isSet(texts.ca) ? textOrFile(texts.ca) : undefined })
}

function textOrFile(text: string): string {
  // A private key is PEM too: taken for a path, it would appear in the error.
  if (pemIn(text)) return text
  try {
    return readFileSync(text, 'utf8')
  } catch (cause) {
    const why = messageOf(cause)
    throw new InvalidInputError('bad_setting', `WHISKLENS_CA is neither PEM nor a readable file: ${why}`, {
      cause,
    })
  }
}

/** The settings as `WHISKLENS_…` variables for a manifest; unset ones are omitted. */
export const toEnvironment = (settings: Partial<Settings>): Record<string, string> =>
  Object.fromEntries(
    settingNames.flatMap((name) =>
      settings[name] === undefined ? [] : [[environmentName(name), settings[name]]],
    ),
  )
