import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { npmPackage } from '../../src/models/catalogue/npm-package'

/*
 * Runs the real npm with a local registry.
 */

let folder: string
let registry: Server
let tarball: Buffer
let asked: string[]
const saved = { ...process.env }
const name = '@whisklens-test/weights'

const integrityOf = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whisklens-npm-'))
  const made = join(folder, 'made', 'package')
  mkdirSync(made, { recursive: true })
  const scripts = { preinstall: 'touch ran', prepack: 'touch ran' }
  writeFileSync(join(made, 'package.json'), JSON.stringify({ name, version: '1.0.0', scripts }))
  writeFileSync(join(made, 'weights.bin'), 'weights')
  execFileSync('tar', ['-czf', join(folder, 'weights.tgz'), '-C', join(folder, 'made'), 'package'])
  tarball = readFileSync(join(folder, 'weights.tgz'))
  registry = createServer(({ url = '' }, outgoing) => {
    asked.push(url)
    if (url.endsWith('.tgz')) return void outgoing.end(tarball)
    if (decodeURIComponent(url) !== `/${name}`) return void outgoing.writeHead(404).end('{}')
    const dist = {
      tarball: `${process.env.npm_config_registry}/weights-1.0.0.tgz`,
      integrity: integrityOf(tarball),
    }
    const versions = { '1.0.0': { name, version: '1.0.0', dist } }
    outgoing.end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions }))
  })
  registry.listen(0, '127.0.0.1')
  await once(registry, 'listening')
})
beforeEach(() => {
  asked = []
  process.env.npm_config_registry = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
  process.env.npm_config_cache = join(folder, 'npm')
  process.env.npm_config_fetch_retries = '0'
  process.env.XDG_CACHE_HOME = join(folder, 'cache')
})
afterEach(() => {
  process.env = { ...saved }
})
afterAll(async () => {
  registry.close()
  await rm(folder, { recursive: true })
})

const cached = () => {
  const path = join(folder, 'cache', 'whisklens', 'npm')
  return existsSync(path) ? readdirSync(path) : []
}

it('a package with another checksum is refused, and not kept', async () => {
  await expect(npmPackage(name, '1.0.0', integrityOf(Buffer.from('other')))).rejects.toMatchObject({
    code: 'wrong_checksum',
    message: expect.stringContaining(name),
  })
  expect(cached()).toEqual([])
})

it('a missing package is an error with npm’s message', async () => {
  await expect(npmPackage('@whisklens-test/nothing', '1.0.0', 'sha512-x')).rejects.toMatchObject({
    code: 'download_failed',
    message: expect.stringMatching(/npm could not fetch @whisklens-test\/nothing@1\.0\.0: .*404/),
  })
  expect(cached()).toEqual([])
})

it('a package is fetched by npm once, unpacked, and none of its scripts are run', async () => {
  const first = await npmPackage(name, '1.0.0', integrityOf(tarball))
  expect(readFileSync(join(first, 'weights.bin'), 'utf8')).toBe('weights')
  expect(readdirSync(first).sort()).toEqual(['package.json', 'weights.bin'])
  asked = []
  expect(await npmPackage(name, '1.0.0', integrityOf(tarball))).toBe(first)
  expect(asked).toEqual([])
})

it('a package fetched twice concurrently is available to both', async () => {
  process.env.XDG_CACHE_HOME = join(folder, 'shared')
  const fetched = () => npmPackage(name, '1.0.0', integrityOf(tarball))
  const [one, other] = await Promise.all([fetched(), fetched()])
  expect(other).toBe(one)
  expect(readdirSync(join(one, '..'))).toEqual([basename(one)])
  expect(readFileSync(join(one, 'weights.bin'), 'utf8')).toBe('weights')
})
