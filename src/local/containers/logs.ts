import type { Readable } from 'node:stream'

/** Printed on both streams at the end of an activation's output. */
export const endOfActivation = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX'

/** Longer lines are split, so that output without line ends cannot fill the memory. */
const maxLineLength = 65_536
/** Timeouts for the end marker, milliseconds: since the last output, and in total. */
const maxPause = 1000
const maxWait = 30_000

/** Collects the output of a container per activation. */
export class Logs {
  private lines: string[] = []
  private limit = 0
  private size = 0
  private open = 0
  private done = (): void => {}
  private pause?: NodeJS.Timeout

  constructor(stdout: Readable, stderr: Readable) {
    for (const [name, stream] of Object.entries({ stdout, stderr })) {
      let rest = ''
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.pause?.refresh()
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        if (rest.length > maxLineLength) lines.push(rest)
        if (rest.length > maxLineLength) rest = ''
        for (const line of lines) this.take(name, line)
      })
    }
  }

  /** Starts the logs of an activation. @param limit bytes */
  begin(limit: number): void {
    Object.assign(this, { lines: [], limit, size: 0, open: 2 })
  }

  /** Resolves to the activation's lines when both streams are complete, or after a timeout. */
  async end(): Promise<string[]> {
    if (this.open > 0) {
      const complete = new Promise<void>((resolve) => {
        this.done = resolve
      })
      this.pause = setTimeout(this.done, maxPause)
      const wait = setTimeout(this.done, maxWait)
      await complete
      for (const timer of [this.pause, wait]) clearTimeout(timer)
      this.pause = undefined
    }
    return this.lines
  }

  /** Ends the wait: there is no further output. */
  close(): void {
    this.open = 0
    this.done()
  }

  private take(stream: string, line: string): void {
    const isEnd = line.endsWith(endOfActivation)
    const text = isEnd ? line.slice(0, -endOfActivation.length) : line
    if (text !== '' || !isEnd) this.add(stream, text)
    if (isEnd && --this.open <= 0) this.close()
  }

  private add(stream: string, text: string): void {
    if (this.size > this.limit) return
    this.size += Buffer.byteLength(text)
    // Real servers print nanoseconds; clients that strip the timestamp rely on its width.
    const stamp = new Date().toISOString().replace('Z', '000000Z')
    const cut = `Logs were truncated because the total bytes size exceeds the limit of ${this.limit} bytes.`
    this.lines.push(this.size > this.limit ? `${stamp} stderr: ${cut}` : `${stamp} ${stream}: ${text}`)
  }
}
