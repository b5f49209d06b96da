import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** End-to-end tests run what users run, so it is built first; the command line does so when its sources are newer. */
export default function globalSetup(): void {
  execFileSync(process.execPath, [join(__dirname, '..', 'bin', 'whisklens.js'), '--version'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
