import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { maxModels } from '../../src/web/max/models'

const script = join(__dirname, '..', '..', 'scripts', 'build-runtimes.sh')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-docker-'))
  standIn('docker', 0)
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Installs a fake program on PATH that logs its arguments, one per line. */
function standIn(name: string, exitCode: number): void {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$@" '' >>"${folder}/asked"\nexit ${exitCode}\n`)
  chmodSync(path, 0o755)
}

const run = (env: NodeJS.ProcessEnv) => {
  const { status, stdout, stderr } = spawnSync('bash', [script], {
    cwd: tmpdir(),
    env: { PATH: `${folder}:${process.env.PATH}`, ...env },
    encoding: 'utf8',
  })
  const path = join(folder, 'asked')
  const asked = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n\n') : []
  return { status, stdout, stderr, asked: asked.map((text) => text.split('\n').join(' ')) }
}

const built = (name: string, model: string, engine: string, tag = 'latest') =>
  [
    'build',
    `--build-arg MODEL=${model} --build-arg MODELS=${model} --build-arg ENGINE=${engine} --build-arg MAX_MODEL=${name}`,
    `--tag me/${name}:${tag} .`,
  ].join(' ')

it('builds and pushes an image per model, with the right options', () => {
  const { status, stdout, asked } = run({ MODELS: [...maxModels.keys()].join(' '), USERNAME: 'me' })
  expect(status).toBe(0)
  expect(asked).toEqual(
    [...maxModels].flatMap(([name, model]) => [
      built(name, model, model === 'efficientnet-lite0' ? 'tfjs' : 'wasm'),
      `push me/${name}:latest`,
    ]),
  )
  expect(stdout).toBe([...maxModels.keys()].map((name) => `me/${name}:latest\n`).join(''))
})

it('accepts a tag, an engine, a base image and another program, and can skip pushing', () => {
  standIn('podman', 0)
  const { status, asked } = run({
    MODELS: 'max-image-classifier',
    USERNAME: 'me',
    TAG: '1.2',
    ENGINE: 'wasm',
    BASE_IMAGE: 'base@sha256:12',
    PUSH: '0',
    DOCKER: 'podman',
  })
  expect(status).toBe(0)
  expect(asked).toEqual([
    built('max-image-classifier', 'efficientnet-lite0', 'wasm', '1.2').replace(
      ' --tag',
      ' --build-arg BASE_IMAGE=base@sha256:12 --tag',
    ),
  ])
})

it('builds for another architecture, by docker’s name for it', () => {
  const { asked } = run({ MODELS: 'max-image-classifier', USERNAME: 'me', ARCH: 'arm64', PUSH: '0' })
  expect(asked).toEqual([
    built('max-image-classifier', 'efficientnet-lite0', 'tfjs').replace(
      ' --tag',
      ' --platform linux/arm64 --tag',
    ),
  ])
})

it.each([
  ['an architecture that is wrong', { MODELS: 'max-image-classifier', USERNAME: 'me', ARCH: 'mips' }, 'mips'],
  ['a name that is wrong', { MODELS: 'max-image-classifier max-oracle', USERNAME: 'me' }, 'max-oracle'],
  ['no models', { USERNAME: 'me' }, 'MODELS'],
  ['no user name', { MODELS: 'max-image-classifier' }, 'USERNAME'],
])('builds nothing with %s', (_, env, named) => {
  const { status, stderr, asked } = run(env)
  expect(status).not.toBe(0)
  expect(stderr).toContain(named)
  expect(asked).toEqual([])
})

it('stops at the first failure', () => {
  standIn('docker', 3)
  const { status, stdout, asked } = run({
    MODELS: 'max-image-classifier max-facial-emotion-classifier',
    USERNAME: 'me',
  })
  expect({ status, stdout, asked: asked.length }).toEqual({ status: 3, stdout: '', asked: 1 })
})

it('is valid bash', () => {
  expect(execFileSync('bash', ['-n', script], { encoding: 'utf8' })).toBe('')
})
