/** The content type of OpenMetrics text. The charset keeps OpenWhisk from taking it for binary. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** One value, and what tells it from the others of its family. */
export interface Sample {
  labels?: Record<string, string>
  value: number
}

/** What is measured, by one name. */
export interface Family {
  /** With its unit at the end, where it has one. */
  name: string
  help: string
  type: 'gauge' | 'counter' | 'summary' | 'stateset'
  /** `seconds` and other base units. */
  unit?: string
  samples: Sample[]
}

const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (sign) => (sign === '\n' ? '\\n' : `\\${sign}`))

function lineOf({ name, type }: Family, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  const suffix = type === 'counter' ? '_total' : ''
  return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`
}

function textOf(family: Family): string {
  const { name, type, unit, help, samples } = family
  const lines = samples.map((sample) => lineOf(family, sample))
  const about = [
    `# TYPE ${name} ${type}\n`,
    unit && `# UNIT ${name} ${unit}\n`,
    `# HELP ${name} ${escaped(help)}\n`,
  ]
  return [...about, ...lines].filter(Boolean).join('')
}

/** Metrics as text, OpenMetrics 1.0. */
export const toOpenMetrics = (families: Family[]): string => `${families.map(textOf).join('')}# EOF\n`
