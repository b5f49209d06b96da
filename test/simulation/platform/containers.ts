import type { Time } from '../time'

/** Containers of one action: as many as are needed at a time up to a number, and then a queue. */
export class Containers {
  private readonly idle: number[] = []
  private readonly queue: ((container: number) => void)[] = []
  private alive = 0
  /** How many there ever were. */
  made = 0

  /** @param coldStart milliseconds until a new one is ready */
  constructor(
    private readonly time: Time,
    private readonly most: number,
    private readonly coldStart: number,
  ) {}

  /** A container, by its number, as soon as there is one. */
  async take(): Promise<number> {
    const idle = this.idle.pop()
    if (idle !== undefined) return idle
    if (this.alive >= this.most) return new Promise((resolve) => this.queue.push(resolve))
    return this.make()
  }

  giveBack(container: number): void {
    const next = this.queue.shift()
    if (next) next(container)
    else this.idle.push(container)
  }

  /** A container has died; who waits for one gets another. */
  lose(): void {
    this.alive--
    const next = this.queue.shift()
    if (next) void this.make().then(next)
  }

  /** New code was deployed: the idle ones are of no use. */
  drop(): void {
    this.alive -= this.idle.length
    this.idle.length = 0
  }

  private async make(): Promise<number> {
    this.alive++
    const container = ++this.made
    await this.time.sleep(this.coldStart)
    return container
  }
}
