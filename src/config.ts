import * as z from 'zod'
import { InvalidInputError } from './errors'

/** wskdeploy passes an unset variable on as an empty string or as its own name; both mean "not set". */
const setting = z
  .string()
  .transform((text) => (text === '' || /^\$\{?WHISKLENS_\w+\}?$/.test(text) ? undefined : text))
  .optional()

const withDefault = (fallback: string) => setting.transform((text) => text ?? fallback)

/** A price as text: digits, a point between them if need be, an exponent as JavaScript writes very small numbers. */
export const priceSchema = z
  .string()
  .regex(/^\d+(\.\d+)?(e-?\d{1,2})?$/, 'expected a number of 0 or more, such as 0.000017')

/** What a GB-second costs at the large services that run OpenWhisk, US dollars. */
export const defaultGbSecondPrice = '0.000017'

/** The settings of a deployment; the package's inputs carry the same names. */
export const settingsSchema = z.object({
  s3Endpoint: setting,
  s3Region: withDefault('us-east-1'),
  s3AccessKeyId: setting,
  s3SecretAccessKey: setting,
  imagesBucket: withDefault('images'),
  resultsBucket: withDefault('results'),
  runtimeImage: setting,
  eventsToken: setting,
  resultsToken: setting,
  // A runtime image names in its environment what it has: its model, and the best engine for it.
  model: setting.transform((name) => name ?? (process.env.WHISKLENS_MODEL || 'efficientnet-lite0')),
  engine: setting.transform((name) => name ?? (process.env.WHISKLENS_ENGINE || 'wasm')),
  // wsk makes a number of what looks like one.
  gbSecondPrice: z.preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    withDefault(defaultGbSecondPrice).pipe(priceSchema),
  ),
})

export type Settings = z.infer<typeof settingsSchema>
export type SettingName = keyof Settings

export const settingNames = Object.keys(settingsSchema.shape) as SettingName[]

/** `s3AccessKeyId` → `WHISKLENS_S3_ACCESS_KEY_ID`. */
export const environmentName = (name: SettingName): string =>
  `WHISKLENS_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

function parse(source: Record<string, unknown>): Settings {
  const parsed = settingsSchema.safeParse(source)
  if (parsed.success) return parsed.data
  throw new InvalidInputError(`The settings are not valid: ${z.prettifyError(parsed.error)}`)
}

/** The settings among an action's parameters; everything else there is left alone. */
export const settingsFromParams = (params: Record<string, unknown>): Settings =>
  parse(Object.fromEntries(settingNames.map((name) => [name, params[name]])))

/** The settings in the environment (`WHISKLENS_…`). */
export const settingsFromEnvironment = (env: NodeJS.ProcessEnv = process.env): Settings =>
  parse(Object.fromEntries(settingNames.map((name) => [name, env[environmentName(name)]])))

/** The settings as `WHISKLENS_…` variables, for deploying a manifest; unset ones are left out. */
export const toEnvironment = (settings: Partial<Settings>): Record<string, string> =>
  Object.fromEntries(
    settingNames.flatMap((name) =>
      settings[name] === undefined ? [] : [[environmentName(name), settings[name]]],
    ),
  )
