import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pinned } from '../../src/cli/stock/pinned'

const { packages } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package-lock.json'), 'utf8'))

it.each(Object.entries(pinned))('%s, for stock zips, is as in package-lock.json', (name, exact) => {
  const { version, integrity } = packages[`node_modules/${name}`]
  expect(exact).toEqual({ version, integrity })
})
