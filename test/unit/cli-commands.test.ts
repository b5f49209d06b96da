import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bareEnvironment, bin, run, samples, temporaryFolder } from './cli-run'

const folder = temporaryFolder()

beforeAll(async () => {
  const photos = join(folder.path, 'photos')
  await mkdir(join(photos, 'more'), { recursive: true })
  await copyFile(join(samples, 'coffee.jpg'), join(photos, 'b.jpg'))
  await copyFile(join(samples, 'cat.jpg'), join(photos, 'more', 'a.JPG'))
  await writeFile(join(photos, 'c.jpg'), 'this is no photo')
  await writeFile(join(photos, 'notes.txt'), 'neither is this')
})

const whisklens = (...args: string[]) => run(folder.path, args)

describe('whisklens', () => {
  it('prints its help on stdout', async () => {
    const { code, stdout, stderr } = await whisklens('--help')
    expect([code, stderr]).toEqual([0, ''])
    for (const command of ['up', 'demo', 'upload', 'classify', 'batch', 'status', 'results'])
      expect(stdout).toContain(`  ${command} `)
  })

  it('does not wait for decoders before there are images', async () => {
    const spy = join(folder.path, 'spy.cjs')
    await writeFile(
      spy,
      `const Module = require('node:module')
      const load = Module._load
      Module._load = (name, ...rest) => {
        if (name === 'sharp') console.error('sharp is loaded')
        return load(name, ...rest)
      }`,
    )
    const spied = (...args: string[]) => run(folder.path, args, { NODE_OPTIONS: `--require ${spy}` })
    expect((await spied('doctor')).stderr).toContain('sharp is loaded')
    expect((await spied('model', 'list')).stderr).toBe('')
  })

  it.each(['demo', 'upload', 'classify', 'batch', 'status', 'watch', 'results', 'prune'])(
    'explains %s with examples',
    async (command) => {
      const { code, stdout } = await whisklens(command, '--help')
      expect(code).toBe(0)
      expect(stdout).toMatch(new RegExp(`Examples:\n  (.* )?whisklens ${command}`))
      expect(stdout).toContain('--json')
      expect(stdout).toContain('--quiet')
    },
  )

  it.each([
    [['nonsense'], "unknown command 'nonsense'", 'whisklens --help'],
    [['clasify'], "unknown command 'clasify'", 'Did you mean classify?'],
    [['classify'], "missing required argument 'images'", 'whisklens classify --help'],
    [['classify', '--tpo', '3', '.'], "unknown option '--tpo'", 'whisklens classify --help'],
    // They would be ignored.
    ...['upload', 'classify', 'status', 'watch', 'results', 'cost'].map(
      (name): [string[], string, string] => [
        [name, '--apihost', 'http://127.0.0.1:1'],
        "unknown option '--apihost'",
        `whisklens ${name} --help`,
      ],
    ),
    [['deploy', '--namespace', 'other'], "unknown option '--namespace'", 'whisklens deploy --help'],
    [['classify', '--top', '0', '.'], 'from 1 to 1000', 'whisklens classify --help'],
    [
      ['batch', '', '--batch', 'uploads-1'],
      'Ids that begin with uploads- are kept for the uploads',
      'whisklens batch --help',
    ],
    [['batch', '', '--since', 'soon'], 'Expected a date', 'whisklens batch --help'],
    [['results', '--min-probability', '3'], 'from 0 to 1', 'whisklens results --help'],
    [['batch', '', '--sample', '0'], 'Expected a share above 0% and up to 100%', 'whisklens batch --help'],
    [['up', '--port', '65535'], 'from 0 to 65534', 'whisklens up --help'],
    [['up', '--containers', '0'], 'from 1 to 1000', 'whisklens up --help'],
    [['status', '../secrets'], 'Expected 1–64', 'whisklens status --help'],
    [['retry', 'uploads-2026-11-22'], 'Expected a fired batch', 'whisklens retry --help'],
  ])('rejects %j as wrong usage with a hint', async (args, message, hint) => {
    const { code, stdout, stderr } = await whisklens(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/)
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
  })

  it('without a command is wrong usage, and prints the help', async () => {
    const { code, stdout, stderr } = await whisklens()
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Commands:')
  })

  it.each([['upload', 'photos'], ['batch', ''], ['status'], ['watch'], ['results']])(
    'says what to do if %s has no connection',
    async (...args) => {
      const { code, stdout, stderr } = await whisklens(...args, '--json')
      expect([code, stdout]).toEqual([1, ''])
      const { error } = JSON.parse(stderr)
      expect(error).toMatchObject({ code: 'not_configured', hint: expect.stringContaining('whisklens up') })
    },
  )
})

describe('whisklens classify', () => {
  it('prints a record for each image, in order, and exits with 3 if some failed', async () => {
    const { code, lines, stderr } = await whisklens(
      'classify',
      '--json',
      'photos',
      join(samples, 'coffee.jpg'),
    )
    const records = lines.map((line) => JSON.parse(line))
    expect(records.map(({ file }) => file)).toEqual([
      'photos/b.jpg',
      'photos/c.jpg',
      'photos/more/a.JPG',
      join(samples, 'coffee.jpg'),
    ])
    expect(records[0]).toMatchObject({
      labels: [
        { label: 'espresso', className: 'espresso', index: 967, wordnetId: 'n07920052' },
        {},
        {},
        {},
        {},
      ],
      width: 600,
      height: 400,
      format: 'jpeg',
      model: expect.stringMatching(/^efficientnet-lite0-int8@[0-9a-f]{8}$/),
      engine: 'onnx',
      timings: { decode: expect.any(Number), infer: expect.any(Number) },
    })
    expect(records[1]).toEqual({
      file: 'photos/c.jpg',
      labels: [],
      error: {
        code: 'image_unsupported',
        message: 'The object is text, not an image',
        hint: expect.any(String),
      },
    })
    expect(records[3].labels).toEqual(records[0].labels)
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /^Classified 3 images, 1 in error in .* with efficientnet-lite0-int8@[0-9a-f]{8} on onnx$/m,
    )
  })

  it('gives the same labels with any number of workers', async () => {
    const labels = async (workers: string) => {
      const { code, lines } = await whisklens('classify', '--json', '--quiet', '--workers', workers, samples)
      expect(code).toBe(0)
      return lines.map((line) => [JSON.parse(line).file, JSON.parse(line).labels])
    }
    const alone = await labels('1')
    expect(alone).toHaveLength(8)
    expect(await labels('4')).toEqual(alone)
  })

  it('prints a line per image with --top labels, and no notes with --quiet', async () => {
    const { code, stdout, stderr } = await whisklens('classify', '--quiet', '--top', '2', 'photos/b.jpg')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^photos\/b\.jpg {2}espresso \d+\.\d %, [a-z ]+ \d+\.\d %\n$/)
  })

  it('escapes control characters in names', async () => {
    await writeFile(join(folder.path, 'evil\x1b[2J\n.jpg'), '')
    const { code, stdout } = await whisklens('classify', 'evil\x1b[2J\n.jpg')
    expect(code).toBe(1)
    expect(stdout).toBe('evil\\x1b[2J\\x0a.jpg  error: image_empty, The object is empty\n')
  })

  it.each([
    [['photos/c.jpg'], 'image_unsupported'],
    [['nowhere.jpg'], 'file_not_found'],
  ])('fails if all of %j fail', async (args, expected) => {
    const { code, lines } = await whisklens('classify', '--json', ...args)
    expect(code).toBe(1)
    expect(JSON.parse(lines[0] ?? '').error.code).toBe(expected)
  })

  it.each([
    ['--model', 'nonsense', 'There is no model "nonsense"'],
    ['--engine', 'steam', 'There is no engine "steam"'],
  ])('fails immediately for %s %s', async (option, value, message) => {
    const { code, stdout, stderr } = await whisklens('classify', option, value, 'photos')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/)
    expect(stderr).toContain(message)
  })

  it('fails without images', async () => {
    await mkdir(join(folder.path, 'empty'), { recursive: true })
    const { code, stderr } = await whisklens('classify', '--json', 'empty')
    expect([code, JSON.parse(stderr).error.code]).toEqual([1, 'nothing_found'])
  })

  it('exits quietly when its output is closed', async () => {
    const child = spawn(process.execPath, [bin, 'classify', '--json', '--quiet', samples, samples], {
      cwd: folder.path,
      env: bareEnvironment(folder.path),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const [code] = await once(child, 'close')
    expect([code, stderr]).toEqual([0, ''])
  })

  it('exits with 130 when interrupted', async () => {
    const child = spawn(process.execPath, [bin, 'classify', ...Array(50).fill(samples)], {
      env: bareEnvironment(folder.path),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    child.stdout.once('data', () => child.kill('SIGINT'))
    child.stdout.resume()
    const [code] = await once(child, 'close')
    expect(code).toBe(130)
  })
})
