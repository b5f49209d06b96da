import * as z from 'zod'
import type { HttpError } from '../http-error'
import type { Entities, Exec } from './entities'
import { defaultKind, kinds } from './kinds'
import { checkSize, sequenceLength, sizes } from './limits'
import { resolveName } from './names'
import { resolveAction } from './parameters'
import { badRequest, malformedContent, orThrow } from './refusals'

const text = z.string().optional()

/** `exec` in the PUT of an action: code, image or components. */
export const execContent = z.object({
  kind: z.string(),
  code: text,
  image: text,
  main: text,
  components: z.array(z.string()).optional(),
})
type ExecContent = z.infer<typeof execContent>

interface Place {
  entities: Entities
  namespace: string
}

/** Whether code is an archive: OpenWhisk treats any valid base64 as one. */
const isBase64 = (code: string): boolean =>
  code.length > 0 && code.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(code.replace(/={1,2}$/, ''))

/**
 * Validates the `exec` of an action and saves its code.
 * @throws HttpError 400 if it cannot run, 413 if the code is too large
 */
export function execOf(put: ExecContent, path: string, place: Place): Exec {
  if (put.kind === 'sequence') return sequenceOf(put, path, place)
  const { code, main } = put
  const { kind, image } = runtimeOf(put)
  checkSize('exec', code?.length ?? 0, sizes.code)
  const exec = { kind, main, binary: isBase64(code?.trim() ?? ''), image }
  return code === undefined ? exec : { ...exec, code: place.entities.saveCode(code) }
}

/** The image or the runtime kind of an action. */
function runtimeOf({ kind, code, image }: ExecContent): Pick<Exec, 'kind' | 'image'> {
  if (kind === 'blackbox') {
    if (image !== undefined) return { kind, image }
    throw malformedContent(`'image' must be a string defined in 'exec' for '${kind}' actions`)
  }
  const realKind = kind === 'nodejs:default' ? defaultKind : kind
  if (!kinds.includes(realKind)) throw unknownKind(kind)
  if (code !== undefined) return { kind: realKind }
  const wanted = "'code' must be a string or attachment object defined in 'exec'"
  throw malformedContent(`${wanted} for '${kind}' actions`)
}

function unknownKind(kind: string): HttpError {
  const known = kinds.map((one) => `'${one}'`).join(', ')
  const message = `The specified runtime '${kind}' is not supported by this platform. Valid values are: ${known}.`
  return malformedContent(message)
}

function sequenceOf({ kind, components }: ExecContent, path: string, { entities, namespace }: Place): Exec {
  if (!components) throw malformedContent("'components' must be defined for sequence kind")
  const paths = components.map((name) => resolveName(name, namespace))
  checkSequence(entities, path, paths)
  return { kind, components: paths.map((component) => `/${component}`) }
}

/** Refuses a sequence that is empty, too long, recursive, or has a missing component. */
function checkSequence(entities: Entities, sequence: string, components: string[]): void {
  const refusal = badRequest('Sequence component does not exist.')
  const lengthOf = (path: string): number => {
    if (path === sequence) throw badRequest('Sequence may not refer to itself.')
    const { exec } = orThrow(refusal, () => resolveAction(entities, path)).action
    return exec.components ? lengthOfAll(exec.components.map((name) => name.slice(1))) : 1
  }
  const lengthOfAll = (paths: string[]): number => paths.reduce((sum, path) => sum + lengthOf(path), 0)
  if (components.length === 0) throw badRequest('No component specified for the sequence.')
  if (components.length > sequenceLength || lengthOfAll(components) > sequenceLength) {
    throw badRequest('Too many actions in the sequence.')
  }
}
