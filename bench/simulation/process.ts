/** What runs an activation: once it is killed, nothing that it asks of anybody is ever answered. */
export class Process {
  private isKilled = false

  kill(): void {
    this.isKilled = true
  }

  /** Before and after each request. */
  async goOn(): Promise<void> {
    if (this.isKilled) await new Promise<never>(() => {})
  }
}
