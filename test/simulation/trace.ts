/** The events of a run as lines, if kept. */
export class Trace {
  readonly lines: string[] = []

  constructor(private readonly isKept: boolean) {}

  add(now: number, line: string): void {
    if (this.isKept) this.lines.push(`${now.toFixed(3)} ${line}`)
  }
}
