import type { Readable } from 'node:stream'

/** A container prints this on both of its streams when an activation's output is complete. */
export const endOfActivation = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX'

/** Longer lines are cut, so that a line without an end cannot fill the memory. */
const longestLine = 65_536
/** The longest pause in an activation's output before its end marker, and the longest wait for it; milliseconds. */
const longestPause = 1000
const longestWait = 30_000

/** What a container prints, collected activation by activation. */
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
        if (rest.length > longestLine) lines.push(rest)
        if (rest.length > longestLine) rest = ''
        for (const line of lines) this.take(name, line)
      })
    }
  }

  /** Starts an activation's logs, of at most `limit` bytes. */
  begin(limit: number): void {
    Object.assign(this, { lines: [], limit, size: 0, open: 2 })
  }

  /** The activation's lines once both streams are complete, or say nothing more for long. */
  async end(): Promise<string[]> {
    if (this.open > 0) {
      const complete = new Promise<void>((resolve) => {
        this.done = resolve
      })
      this.pause = setTimeout(this.done, longestPause)
      const wait = setTimeout(this.done, longestWait)
      await complete
      for (const timer of [this.pause, wait]) clearTimeout(timer)
      this.pause = undefined
    }
    return this.lines
  }

  /** Nothing more will come. */
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
    // Real servers stamp with nanoseconds; clients that cut the stamp off count on its width.
    const stamp = new Date().toISOString().replace('Z', '000000Z')
    const cut = `Logs were truncated because the total bytes size exceeds the limit of ${this.limit} bytes.`
    this.lines.push(this.size > this.limit ? `${stamp} stderr: ${cut}` : `${stamp} ${stream}: ${text}`)
  }
}
