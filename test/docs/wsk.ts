import { readFileSync } from 'node:fs'
import { standInForWsk } from '../conformance/wsk-stand-in'

/* A stand-in for `wsk` where it is not installed; connects according to WSK_CONFIG_FILE. */

const properties = readFileSync(process.env.WSK_CONFIG_FILE ?? '', 'utf8')

const property = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(properties)?.[1] ?? ''

standInForWsk(
  { apiHost: property('APIHOST'), auth: property('AUTH'), namespace: property('NAMESPACE') },
  process.argv.slice(2),
).then(({ code, stdout, stderr }) => {
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  process.exitCode = code ?? 1
})
