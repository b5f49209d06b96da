import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const preload = join(__dirname, '..', '..', 'scripts', 'node-util.cjs')

it('adds the functions of node:util that tfjs-node needs if Node.js lacks them, and keeps existing ones', () => {
  const program = `
    const util = require('node:util')
    delete util.isNullOrUndefined
    util.isArray = () => 'kept'
    require(${JSON.stringify(preload)})
    console.log(JSON.stringify([[null, undefined, 0, ''].map(util.isNullOrUndefined), util.isArray()]))
  `
  const stdout = execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  expect(JSON.parse(stdout)).toEqual([[true, true, false, false], 'kept'])
})
