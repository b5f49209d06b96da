import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import * as z from 'zod'
import { InvalidInputError, messageOf } from '../errors'

/*
 * The subset of wskdeploy's manifest format that Whisklens uses, as strict as wskdeploy: whatever it refuses or
 * silently drops is an error here.
 */

const input = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.strictObject({
    type: z.string().optional(),
    value: z.unknown().optional(),
    default: z.unknown().optional(),
  }),
])
const inputs = z.record(z.string(), input).default({})
const annotations = z.record(z.string(), z.unknown()).default({})

const actionSchema = z.strictObject({
  function: z.string().regex(/\.zip$/, 'expected a lower-case .zip'),
  runtime: z.string().optional(),
  docker: z.string().optional(),
  main: z.string().optional(),
  web: z.union([z.literal(true), z.literal('raw')]).optional(),
  inputs,
  limits: z
    .strictObject({
      timeout: z.int().optional(),
      memorySize: z.int().optional(),
      logSize: z.int().optional(),
    })
    .default({}),
  annotations,
})
export type ManifestAction = z.infer<typeof actionSchema>

const packageSchema = z.strictObject({
  version: z.string(),
  license: z.string(),
  inputs,
  actions: z.record(z.string(), actionSchema).default({}),
  sequences: z.record(z.string(), z.strictObject({ actions: z.string(), annotations })).default({}),
  triggers: z.record(z.string(), z.strictObject({ feed: z.string().optional(), inputs })).default({}),
  rules: z.record(z.string(), z.strictObject({ trigger: z.string(), action: z.string() })).default({}),
})
export type ManifestPackage = z.infer<typeof packageSchema>

const manifestSchema = z.strictObject({
  project: z.strictObject({ name: z.string(), packages: z.record(z.string(), packageSchema) }),
})

export interface Manifest {
  project: string
  packages: Record<string, ManifestPackage>
  /** Resolves a path relative to the manifest's folder. */
  resolve(path: string): string
}

/** Text in which wskdeploy would interpolate: a leading variable, or `${…}` anywhere. */
const interpolated = /^\$.|\$\{/s

/** Replaces `$NAME` and `${NAME}` as whole values, as wskdeploy does; unset variables are empty. */
function interpolate(value: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') {
    const name = /^\$(?:\{(\w+)\}|(\w+))$/.exec(value)
    if (name) return env[name[1] ?? name[2] ?? ''] ?? ''
    if (!interpolated.test(value)) return value
    throw new InvalidInputError(
      'bad_deployment',
      `The text "${value}" mixes variables with text, which wskdeploy interpolates differently`,
      {
        hint: 'Use a variable as the whole value.',
      },
    )
  }
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, interpolate(inner, env)]))
}

/**
 * Reads a manifest and inserts environment variables.
 * @throws InvalidInputError when it cannot be read or is not valid
 */
export async function readManifest(path: string, env: NodeJS.ProcessEnv): Promise<Manifest> {
  let yaml: unknown
  try {
    yaml = parse(await readFile(path, 'utf8'), { version: '1.1' })
  } catch (cause) {
    throw new InvalidInputError(
      'bad_deployment',
      `The manifest ${path} cannot be read: ${messageOf(cause)}`,
      { cause },
    )
  }
  const parsed = manifestSchema.safeParse(interpolate(yaml, env))
  if (!parsed.success) {
    throw new InvalidInputError(
      'bad_deployment',
      `The manifest ${path} is not valid: ${z.prettifyError(parsed.error)}`,
    )
  }
  const { name, packages } = parsed.data.project
  return { project: name, packages, resolve: (file) => resolve(dirname(path), file) }
}

/** Converts inputs to OpenWhisk parameters. */
export const toParameters = (values: ManifestPackage['inputs']): { key: string; value: unknown }[] =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'object' ? (value.value ?? value.default ?? '') : value,
  }))
