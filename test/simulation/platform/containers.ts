import type { Time } from '../time'

/** Containers of one action: created on demand up to a limit, then queued. */
export class Containers {
  private readonly idle: number[] = []
  private readonly queue: ((container: number) => void)[] = []
  private alive = 0
  /** Containers created so far. */
  made = 0

  /** @param coldStart milliseconds to create a container */
  constructor(
    private readonly time: Time,
    private readonly max: number,
    private readonly coldStart: number,
  ) {}

  /** Takes a container, by its number, once one is available. */
  async take(): Promise<number> {
    const idle = this.idle.pop()
    if (idle !== undefined) return idle
    if (this.alive >= this.max) return new Promise((resolve) => this.queue.push(resolve))
    return this.make()
  }

  giveBack(container: number): void {
    const next = this.queue.shift()
    if (next) next(container)
    else this.idle.push(container)
  }

  /** Removes a dead container. A waiting invocation gets a new one. */
  lose(): void {
    this.alive--
    const next = this.queue.shift()
    if (next) void this.make().then(next)
  }

  /** Discards idle containers after a deployment. */
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
