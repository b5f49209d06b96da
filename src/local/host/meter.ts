import type { Family, Sample } from '../../openmetrics'
import type { Activation } from './activations'

/** Counters of an API host since its start. */
export class Meter {
  private readonly activations = new Counts(['action', 'status'])
  private readonly seconds = new Counts(['action'])
  private readonly throttles = new Counts(['limit'])

  /** Counts an ended activation of an action or sequence. @param action including its package */
  ended(action: string, { response, duration = 0 }: Activation): void {
    this.activations.add(1, action, response.status)
    this.seconds.add(duration / 1000, action)
  }

  /** Counts a refused request. */
  throttled(limit: 'invocations' | 'fires'): void {
    this.throttles.add(1, limit)
  }

  /** @param gauges current values */
  families({ containers, inFlight }: { containers: number; inFlight: number }): Family[] {
    const counter = { type: 'counter' } as const
    const gauge = { type: 'gauge' } as const
    return [
      {
        ...counter,
        name: 'whisklens_host_activations',
        help: 'Ended activations by action and status since the host started.',
        samples: this.activations.samples(),
      },
      {
        ...counter,
        name: 'whisklens_host_activation_seconds',
        unit: 'seconds',
        help: 'Duration of ended activations by action.',
        samples: this.seconds.samples(),
      },
      {
        ...counter,
        name: 'whisklens_host_throttles',
        help: 'Requests refused because of a limit.',
        samples: this.throttles.samples(),
      },
      {
        ...gauge,
        name: 'whisklens_host_containers',
        help: 'Action containers.',
        samples: [{ value: containers }],
      },
      {
        ...gauge,
        name: 'whisklens_host_activations_in_flight',
        help: 'Waiting and running activations.',
        samples: [{ value: inFlight }],
      },
    ]
  }
}

/** Sums by label values. */
class Counts {
  private readonly byLabels = new Map<string, Required<Sample>>()

  constructor(private readonly names: string[]) {}

  add(value: number, ...texts: string[]): void {
    const key = texts.join('\n')
    const labels = Object.fromEntries(this.names.map((name, index) => [name, texts[index] ?? '']))
    const known = this.byLabels.get(key) ?? { labels, value: 0 }
    this.byLabels.set(key, { labels, value: known.value + value })
  }

  samples = (): Sample[] => [...this.byLabels.values()]
}
