import type { VirtualClock } from './clock'

/** Containers of one action: as many as are needed at a time up to a number, and then a queue. */
export class Containers {
  private readonly idle: number[] = []
  private readonly queue: ((container: number) => void)[] = []
  /** How many there are. */
  made = 0

  /** @param coldStart milliseconds until a new one is ready */
  constructor(
    private readonly clock: VirtualClock,
    private readonly most: number,
    private readonly coldStart: number,
  ) {}

  /** Does some work in a container, which is known by its number. */
  async run<T>(work: (container: number) => Promise<T>): Promise<T> {
    const container = await this.take()
    try {
      return await work(container)
    } finally {
      const next = this.queue.shift()
      if (next) next(container)
      else this.idle.push(container)
    }
  }

  private async take(): Promise<number> {
    const idle = this.idle.pop()
    if (idle !== undefined) return idle
    if (this.made >= this.most) return new Promise((resolve) => this.queue.push(resolve))
    const container = ++this.made
    await this.clock.sleep(this.coldStart)
    return container
  }
}
