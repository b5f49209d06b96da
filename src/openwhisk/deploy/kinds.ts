import { InvalidInputError } from '../../errors'
import type { HostKind } from '../host'

/** Kinds that the zips are tested on, newest first. */
export const supportedKinds = ['nodejs:24', 'nodejs:22', 'nodejs:20']

/** The platform's default kind, in manifests. */
const defaultKind = 'nodejs:default'

const oldestMajor = 20

/** What determines the kind of an action. */
export interface KindChoice {
  /** Of `--kind`; takes precedence. */
  kind?: string
  /** Node.js kinds of the API host; undefined if it does not list them. */
  offered?: HostKind[]
  apiHost: string
}

/**
 * Chooses the kind of an action: that of `--kind`, else of the manifest. `nodejs:default` means the deployed kind, or
 * the newest that the platform offers and Whisklens supports.
 * @param wanted by the manifest
 * @param deployed kind of the deployed action, if any
 * @throws InvalidInputError when the platform does not offer the kind, or no supported one
 */
export function kindOf(wanted: string, deployed: string | undefined, choice: KindChoice): string {
  if (!wanted.startsWith('nodejs:')) return wanted
  if (choice.kind) return checkOffered(checkSupported(choice.kind), choice)
  if (wanted !== defaultKind) return checkOffered(wanted, choice)
  if (!choice.offered) return deployed?.startsWith('nodejs:') ? deployed : wanted
  const usable = choice.offered.filter(({ kind }) => supportedKinds.includes(kind))
  const current = usable.filter(({ deprecated }) => !deprecated).map(({ kind }) => kind)
  if (deployed && current.includes(deployed)) return deployed
  const candidates = current.length > 0 ? current : usable.map(({ kind }) => kind)
  const newest = supportedKinds.find((kind) => candidates.includes(kind))
  if (newest) return newest
  throw new InvalidInputError(
    'kind_unsupported',
    `${choice.apiHost} offers no kind that Whisklens supports: ${listOf(choice)}`,
    {
      hint: `Whisklens is tested on ${supportedKinds.join(', ')}; --kind takes any kind of Node.js ${oldestMajor} or later.`,
    },
  )
}

function checkSupported(kind: string): string {
  const [, major = 0] = /^nodejs:(\d+)$/.exec(kind) ?? []
  if (Number(major) >= oldestMajor) return kind
  throw new InvalidInputError('kind_unsupported', `Whisklens does not run on the kind "${kind}"`, {
    hint: `Name a kind of Node.js ${oldestMajor} or later, such as ${supportedKinds[0]}.`,
  })
}

function checkOffered(kind: string, choice: KindChoice): string {
  if (!choice.offered || choice.offered.some((one) => one.kind === kind)) return kind
  throw new InvalidInputError(
    'kind_unsupported',
    `${choice.apiHost} does not offer the kind "${kind}": ${listOf(choice)}`,
    {
      hint: 'Choose one with --kind.',
    },
  )
}

const listOf = ({ offered = [] }: KindChoice): string =>
  offered.length > 0 ? `it has ${offered.map(({ kind }) => kind).join(', ')}` : 'it has none for Node.js'
