/** The content type of OpenMetrics. The charset keeps OpenWhisk from treating it as binary. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** A value with its labels. */
export interface Sample {
  labels?: Record<string, string>
  value: number
}

/** A metric family. */
export interface Family {
  /** Ends with its unit, if any. */
  name: string
  help: string
  type: 'gauge' | 'counter' | 'summary' | 'stateset'
  /** A base unit, such as `seconds`. */
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

/** Serializes metrics as OpenMetrics 1.0 text. */
export const toOpenMetrics = (families: Family[]): string => `${families.map(textOf).join('')}# EOF\n`
