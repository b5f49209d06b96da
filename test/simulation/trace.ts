import { hashOf } from './random'

/** What happened, line by line: kept where it is to be shown, and else only as a hash, by which runs are compared. */
export class Trace {
  hash = 0x811c9dc5
  readonly lines: string[] = []

  constructor(private readonly isKept: boolean) {}

  add(now: number, line: string): void {
    const text = `${now.toFixed(3)} ${line}`
    this.hash = hashOf(text, this.hash)
    if (this.isKept) this.lines.push(text)
  }
}
