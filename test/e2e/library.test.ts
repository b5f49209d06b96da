import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { installPackage } from '../helpers/installed-package'
import { startLocalModeOf, whisklens } from '../helpers/local-mode'
import { compile as compileIn, programsIn } from '../helpers/typescript-project'

/* The library as users install it: from the packed package, in an otherwise empty TypeScript project. */

const root = join(__dirname, '..', '..')
let folder: string
const at = (...path: string[]) => join(folder, ...path)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-library-'))
  installPackage(folder)
  mkdirSync(at('photos'))
  for (const name of ['cat', 'coffee'])
    copyFileSync(join(root, 'samples', `${name}.jpg`), at('photos', `${name}.jpg`))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const compile = (files: string[], options: string[]) => compileIn(folder, files, options)

async function run(file: string, ...flags: string[]) {
  const child = spawn(process.execPath, [...flags, file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { lines: stdout.split('\n').slice(0, -1), stderr, code: code as number | null }
}

const resolutions: [string, string[]][] = [
  ['node16', ['--module', 'node16', '--moduleResolution', 'node16']],
  ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
]

describe('the types of the library', () => {
  const refused = `
    import { classify, classifyAll, type ErrorCode, type ImageRecord, openDeployment, openModel, WhisklensError } from 'whisklens'
    const model = await openModel('efficientnet-lite0', { engine: 'wasm' })
    const { labels } = await model.classify(new Uint8Array())
    const label: string | undefined = labels[0]?.label
    // @ts-expect-error a label may be missing
    const missing: string = labels[0].label
    // @ts-expect-error no image
    await classify(5)
    // @ts-expect-error no option of that name
    await classify('cat.jpg', { tpo: 5 })
    // @ts-expect-error one model only
    await openModel(['a', 'b'])
    for await (const { file, labels, error } of classifyAll(['photos/', new URL('file:///cat.jpg')])) {
      if (error) {
        const code: ErrorCode = error.code
        // @ts-expect-error what failed has no labels
        labels[0].label
      }
      const name: string = file
    }
    const deployment = await openDeployment()
    // @ts-expect-error no parameter of that name
    await deployment.startBatch({ prefixes: 'photos/' })
    // @ts-expect-error no such state
    if ((await deployment.batch('b').summary()).state === 'done') throw new WhisklensError('nothing_found', '')
    // @ts-expect-error no such code
    throw new WhisklensError('nothing', '')
  `

  it.each(resolutions)('reject wrong programs, with %s', (_, options) => {
    writeFileSync(at('refused.mts'), refused)
    expect(compile(['refused.mts'], ['--noEmit', ...options])).toBe('')
  })

  it.each(resolutions)('accept each program of the docs, with %s', (_, options) => {
    const programs = programsIn('docs/library.md')
    expect(programs.length).toBeGreaterThan(5)
    const files = programs.map((code, n) => {
      writeFileSync(at(`docs-${n}.mts`), code)
      return `docs-${n}.mts`
    })
    expect(compile(files, ['--noEmit', ...options])).toBe('')
  })
})

describe('the library', () => {
  it('runs the program of README, compiled strictly, against a local mode', async () => {
    const [program = ''] = programsIn('README.md')
    writeFileSync(at('readme.mts'), program)
    expect(compile(['readme.mts'], ['--module', 'node16'])).toBe('')
    const local = await startLocalModeOf(
      [process.execPath, at('node_modules', 'whisklens', 'bin', 'whisklens.js')],
      at('.whisklens'),
    )
    try {
      await whisklens(['upload', at('photos'), '--prefix', 'photos/', '--data', local.dataDir])
      const { lines, stderr, code } = await run('readme.mjs')
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
      expect(lines.slice(0, 3)).toEqual([
        expect.stringMatching(/^tiger cat 0\.\d+$/),
        `${join('photos', 'cat.jpg')} tiger cat`,
        `${join('photos', 'coffee.jpg')} espresso`,
      ])
      expect(lines.slice(-3)).toEqual(['2 of 2', 'complete 2 0', 'photos/cat.jpg tiger cat'])
    } finally {
      await local.stop()
    }
  })

  it('is the same for require and import', async () => {
    writeFileSync(
      at('both.cts'),
      `import { classify, WhisklensError } from 'whisklens'
      async function main() {
        const { labels } = await classify('photos/coffee.jpg')
        console.log(labels[0]?.label)
        const module = await import('whisklens')
        await module.classify('none.jpg').catch((thrown) => console.log(thrown instanceof WhisklensError, thrown.code))
        console.log(Object.keys(module).sort().join() === Object.keys(require('whisklens')).sort().join())
      }
      declare const require: (name: string) => object
      void main()`,
    )
    expect(compile(['both.cts'], ['--module', 'node16'])).toBe('')
    expect(await run('both.cjs')).toEqual({
      lines: ['espresso', 'true file_not_found', 'true'],
      stderr: '',
      code: 0,
    })
  })

  it('has no side effects on import: no modules loaded, no variables read, no handlers or handles left', async () => {
    writeFileSync(
      at('import.cjs'),
      `const Module = require('node:module')
      const loaded = []
      const load = Module._load
      Module._load = (name, ...rest) => { loaded.push(name); return load(name, ...rest) }
      const read = []
      const env = process.env
      process.env = new Proxy(env, {
        get: (all, name) => { read.push(name); return all[name] },
        has: (all, name) => { read.push(name); return name in all },
        ownKeys: (all) => { read.push('all'); return Reflect.ownKeys(all) },
      })
      const handlers = process.eventNames().length
      require('whisklens')
      process.env = env
      const open = process.getActiveResourcesInfo().filter((name) => !/^(TTYWrap|PipeWrap)$/.test(name))
      console.log(JSON.stringify({ loaded, read, open, handlers: process.eventNames().length - handlers }))`,
    )
    const { lines, stderr } = await run('import.cjs')
    expect([...lines, stderr]).toEqual([
      JSON.stringify({ loaded: ['whisklens', 'node:worker_threads'], read: [], open: [], handlers: 0 }),
      '',
    ])
  })

  it('leaves the host program’s sharp unchanged', async () => {
    writeFileSync(
      at('sharp.mjs'),
      `import sharp from 'sharp'
      import { classify, classifyAll } from 'whisklens'
      const settings = () => JSON.stringify([sharp.cache().memory.max, sharp.concurrency()])
      const before = settings()
      await classify('photos/cat.jpg')
      const images = Array.from({ length: 40 }, () => 'photos/cat.jpg')
      for await (const { error } of classifyAll(images, { threads: 1 })) if (error) throw error
      console.log(settings() === before)
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
      console.log((await sharp(Buffer.from(svg)).png().toBuffer({ resolveWithObject: true })).info.width)`,
    )
    expect(await run('sharp.mjs')).toEqual({ lines: ['true', '8'], stderr: '', code: 0 })
  })

  it.each(['onnx', 'wasm'])('leaves uncaught errors to the program, with the engine %s', async (engine) => {
    writeFileSync(
      at('uncaught.mjs'),
      `import { openModel } from 'whisklens'
      const model = await openModel(undefined, { engine: '${engine}' })
      await model.classify('photos/cat.jpg')
      throw new Error('of the program')`,
    )
    const { stderr, code } = await run('uncaught.mjs')
    expect(code).toBe(1)
    expect(stderr).toMatch(/uncaught\.mjs:4\n.*\n.*\n\nError: of the program/)
    expect(stderr).not.toContain('node_modules')
  })
})
