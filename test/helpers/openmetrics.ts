import { execFileSync } from 'node:child_process'
import { needs } from './needs'

/** A parsed sample. */
export interface ParsedSample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface ParsedFamily {
  name: string
  type: string
  unit: string
  help: string
  samples: ParsedSample[]
}

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const metadata = new RegExp(`^# (TYPE|UNIT|HELP) (${name}) ([^\\n]*)$`)
const sample = new RegExp(`^(${name})(?:\\{([^\\n]*)\\})? ([-+0-9.eE]+)$`)
const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y

/** Allowed suffixes of sample names by type. */
const suffixes: Record<string, string[]> = { gauge: [''], counter: ['_total'], summary: [''], stateset: [''] }

function refuse(line: string, why: string): never {
  throw new Error(`${why}: ${line}`)
}

function labelsOf(text = '', line = ''): Record<string, string> {
  const labels: Record<string, string> = {}
  pair.lastIndex = 0
  while (pair.lastIndex < text.length) {
    const found = pair.exec(text) ?? refuse(line, 'no label')
    const [, label = '', value = ''] = found
    if (label in labels) refuse(line, 'a label that is there twice')
    labels[label] = value.replace(/\\(.)/g, (_, sign) => (sign === 'n' ? '\n' : sign))
  }
  return labels
}

function checkFamily({ name, type, unit, samples }: ParsedFamily): void {
  if (unit !== '' && !name.endsWith(`_${unit}`)) refuse(name, 'the unit is not in the name')
  if (/_(total|count|sum|bucket|info|created)$/.test(name)) refuse(name, 'a reserved suffix')
  const seen = new Set<string>()
  for (const one of samples) {
    const text = JSON.stringify([one.name, one.labels])
    if (seen.has(text)) refuse(text, 'a sample that is there twice')
    seen.add(text)
    if (!suffixes[type]?.some((suffix) => one.name === name + suffix))
      refuse(one.name, `not of ${name}, a ${type}`)
    if (type === 'counter' && one.value < 0) refuse(text, 'a negative counter')
    if (type === 'stateset' && (!(name in one.labels) || ![0, 1].includes(one.value)))
      refuse(text, 'no state')
    if (type === 'summary' && !(Number(one.labels.quantile) >= 0 && Number(one.labels.quantile) <= 1))
      refuse(text, 'no quantile')
  }
}

/** Parses OpenMetrics text, limited to the features this project writes. @throws Error with the invalid line */
export function parseOpenMetrics(text: string): ParsedFamily[] {
  const families = new Map<string, ParsedFamily>()
  if (!text.endsWith('# EOF\n')) refuse(text.slice(-20), 'no end')
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const family = [...families.values()].at(-1)
    const [, kind, of = '', rest = ''] = metadata.exec(line) ?? []
    if (kind === 'TYPE') {
      if (families.has(of)) refuse(line, 'a family that is there twice')
      if (!(rest in suffixes)) refuse(line, 'a type that is not known')
      families.set(of, { name: of, type: rest, unit: '', help: '', samples: [] })
    } else if (kind) {
      if (family?.name !== of || family.samples.length > 0) refuse(line, 'not of the family')
      family[kind === 'UNIT' ? 'unit' : 'help'] = rest
    } else {
      const [, id = refuse(line, 'no sample'), labels, value] = sample.exec(line) ?? []
      if (!family || Number.isNaN(Number(value))) refuse(line, 'no sample of a family')
      family?.samples.push({ name: id, labels: labelsOf(labels, line), value: Number(value) })
    }
  }
  for (const family of families.values()) checkFamily(family)
  return [...families.values()]
}

/** Values of a family, keyed by their label values. */
export const valuesOf = (families: ParsedFamily[], name: string): Record<string, number> =>
  Object.fromEntries(
    families
      .find((family) => family.name === name)
      ?.samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]) ?? [],
  )

const python = process.env.PYTHON ?? 'python3'
const parser = 'from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse'
const reading = `import sys, json
${parser}
text = sys.stdin.buffer.read().decode("utf-8")
print(json.dumps([[f.name, f.type, f.unit, [[s.name, s.labels, s.value] for s in f.samples]] for f in parse(text)]))`

function hasReference(): boolean {
  try {
    execFileSync(python, ['-c', parser], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Tests that need the parser of Prometheus' Python client. */
export const withReference = needs(!hasReference() && `${python} has no prometheus_client`)

/** Name, type, unit and samples of each family according to that parser. @throws Error if it rejects the text */
export const readByReference = (text: string): unknown[][] =>
  JSON.parse(execFileSync(python, ['-c', reading], { input: text, encoding: 'utf8' }))
