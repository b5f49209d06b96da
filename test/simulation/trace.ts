/** What happened, line by line, where it is to be shown. */
export class Trace {
  readonly lines: string[] = []

  constructor(private readonly isKept: boolean) {}

  add(now: number, line: string): void {
    if (this.isKept) this.lines.push(`${now.toFixed(3)} ${line}`)
  }
}
