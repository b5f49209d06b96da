/** A process that runs an activation. After its death it gets no responses, but requests it has sent still arrive. */
export class Process {
  isAlive = true
  /** Suspended until then, by true time, like a container. */
  pausedUntil = 0
  private readonly onDeath: (() => void)[] = []

  constructor(readonly name: string) {}

  die(): void {
    if (!this.isAlive) return
    this.isAlive = false
    for (const callback of this.onDeath) callback()
  }

  /** Registers a callback for its death. */
  whenDead(callback: () => void): void {
    this.onDeath.push(callback)
  }
}
