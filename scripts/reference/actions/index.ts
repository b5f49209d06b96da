import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { block, code, generatedBy, page, table } from '../markdown'
import { aggregate } from './aggregate'
import { bucketEvents } from './bucket-events'
import { bucketFeed } from './bucket-feed'
import { classify, classifyImages } from './classify'
import type { Section } from './section'
import { startBatch } from './start-batch'
import { predict, results } from './web'

const sections: Record<string, Section> = {
  classify,
  aggregate,
  'classify-images': classifyImages,
  'start-batch': startBatch,
  'bucket-feed': bucketFeed,
  'bucket-events': bucketEvents,
  results,
  predict,
}

interface Manifest {
  project: {
    packages: {
      whisklens: {
        actions: Record<string, { limits?: { timeout: number; memorySize: number } }>
        sequences: Record<string, object>
      }
    }
  }
}

const manifest = parse(readFileSync(join(__dirname, '..', '..', '..', 'manifest.yaml'), 'utf8')) as Manifest
const { actions, sequences } = manifest.project.packages.whisklens

/** @throws Error if an action of the manifest has no section */
function sectionOf(name: string): Section {
  const section = sections[name]
  if (section) return section
  throw new Error(`The action "${name}" of manifest.yaml is not described`)
}

const names = [...Object.keys(actions), ...Object.keys(sequences)]

export const actionsPage = (): string =>
  page(
    '# Actions',
    generatedBy('`manifest.yaml` and the schemas of the actions'),
    `The actions of the package \`whisklens\`, what they take and what they answer. The examples are for the local mode with its namespace
\`guest\`, and for these photos:`,
    block('sh', 'whisklens upload photos/ --prefix photos/'),
    table(
      ['action', 'kind', 'timeout', 'memory', 'purpose'],
      names.map((name) => {
        const { timeout = 60_000, memorySize = 256 } = actions[name]?.limits ?? {}
        const limits = name in actions ? [`${timeout / 1000} s`, `${memorySize} MB`] : ['', '']
        return [`[${name}](#${name})`, sectionOf(name).kind, ...limits, sectionOf(name).purpose]
      }),
    ),
    `The settings of the deployment are inputs of the package ([settings.md](settings.md)); the platform refuses an invocation that sets one.
An action that fails answers with ${code('{"error": "<message> (<code>). <hint>"}')} ([errors.md](errors.md)), a web action with
${code('{"error": {"code", "message", "hint"}}')} and an HTTP status.`,
    ...names.flatMap((name) => [`## ${name}`, sectionOf(name).purpose, ...sectionOf(name).text]),
  )
