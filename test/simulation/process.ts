/**
 * What runs an activation. Once it has died nothing it asked for is ever answered; what it had sent arrives all the same.
 */
export class Process {
  isAlive = true
  /** It stands still until then, by true time, as a container that is suspended. */
  pausedUntil = 0
  private readonly onDeath: (() => void)[] = []

  constructor(readonly name: string) {}

  die(): void {
    if (!this.isAlive) return
    this.isAlive = false
    for (const tell of this.onDeath) tell()
  }

  /** Has it told, once, when it dies. */
  whenDead(tell: () => void): void {
    this.onDeath.push(tell)
  }
}
