import { countsLine } from './counts'
import { removeShared } from './shared'

export default function teardown(): void {
  process.stderr.write(`\n${countsLine()}\n`)
  removeShared()
}
