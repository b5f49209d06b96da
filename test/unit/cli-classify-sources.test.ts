import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import sharp from 'sharp'
import { heicFixture } from '../helpers/heic'
import { plain, sample } from '../helpers/images'
import { needs } from '../helpers/needs'
import { tiff } from '../helpers/tiff'
import { bareEnvironment, bin, run, samples, startStore, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
const whisklens = (...args: string[]) => run(folder.path, args)
const at = (...path: string[]) => join(folder.path, ...path)

/** Tags that identify a camera's RAW file. */
const sensor = { width: 8, height: 8, bits: 8, samples: 1, photometric: 32803 }
const nef = tiff({ ...sensor, make: 'NIKON' }, Buffer.alloc(64))

/** A typical photo folder with other files in it. */
const mixed: [name: string, content: Buffer | string][] = [
  ['IMG_1', sample('coffee')],
  ['a.heic', heicFixture('cat')],
  ['b\nc.jpg', sample('cat')],
  ['d.bmp', 'BM'],
  ['e.NEF', nef],
  ['f.nef', nef],
  ['g.psd', '8BPS\0\x01'],
  ['h.pdf', '%PDF-1.7'],
  ['notes.txt', 'no image'],
]

beforeAll(async () => {
  await mkdir(at('mixed'))
  for (const [name, content] of mixed) await writeFile(at('mixed', name), content)
  await mkdir(at('photos', '2026'), { recursive: true })
  for (const name of ['cat', 'coffee'])
    await copyFile(join(samples, `${name}.jpg`), at('photos', `${name}.jpg`))
  await copyFile(join(samples, 'camera.jpg'), at('photos', '2026', 'camera.jpg'))
})

/** The file and its format or error code. */
const outcome = (line: string): [string, string] => {
  const { file, format, error } = JSON.parse(line)
  return [file, error?.code ?? format]
}

describe('no photo is ignored silently', () => {
  it('a line for all unsupported formats, a note about other files, and exit code 3', async () => {
    const { code, lines, stderr } = await whisklens('classify', 'mixed')
    expect(code).toBe(3)
    expect(lines.map((line) => line.split('  ')[0])).toEqual([
      'mixed/IMG_1',
      'mixed/a.heic',
      'mixed/b\\x0ac.jpg',
    ])
    expect(stderr).toContain(
      '5 files are in formats that cannot be classified: 2 .nef, 1 .bmp, 1 .pdf, 1 .psd\n',
    )
    expect(stderr).toContain('Skipped 1 file that is not an image: 1 .txt\n')
    expect(stderr).toMatch(/^Classified 3 images, 5 in error/m)
  })

  it('a JSON record for each, with its type', async () => {
    const { code, lines } = await whisklens('classify', '--json', '--quiet', 'mixed')
    expect(code).toBe(3)
    expect(lines.map(outcome)).toEqual([
      ['mixed/IMG_1', 'jpeg'],
      ['mixed/a.heic', 'heic'],
      ['mixed/b\nc.jpg', 'jpeg'],
      ['mixed/d.bmp', 'image_unsupported'],
      ['mixed/e.NEF', 'image_unsupported'],
      ['mixed/f.nef', 'image_unsupported'],
      ['mixed/g.psd', 'image_unsupported'],
      ['mixed/h.pdf', 'image_unsupported'],
    ])
    expect(JSON.parse(lines[4] ?? '').error).toEqual({
      code: 'image_unsupported',
      message: "The object is a camera's RAW file (NIKON), which cannot be decoded",
      hint: expect.stringContaining('JPEG'),
    })
  })

  it('also with --quiet', async () => {
    const { stderr } = await whisklens('classify', '--quiet', 'mixed')
    expect(stderr).toMatch(/^5 files are in formats that cannot be classified: [^\n]*\n$/)
  })

  it('a line for each file named explicitly', async () => {
    const { code, stdout } = await whisklens('classify', 'mixed/d.bmp', 'mixed/notes.txt')
    expect(code).toBe(1)
    expect(stdout).toContain('mixed/notes.txt  error: image_unsupported, The object is text, not an image\n')
    expect(stdout).toContain('mixed/d.bmp  error: image_unsupported')
  })

  it('upload handles the same files the same way', async () => {
    const store = await startStore(folder.path)
    try {
      const upload = (...args: string[]) => run(folder.path, ['upload', ...args], store.env)
      const { code, stderr } = await upload('mixed')
      expect(code).toBe(3)
      expect(stderr).toContain('5 files are in formats that cannot be classified: 2 .nef, ')
      expect(stderr).toContain('Skipped 1 file that is not an image: 1 .txt\n')
      expect(stderr).toMatch(/^Uploaded 3 files .*, 5 failed$/m)
      const keys: string[] = []
      for await (const { key } of store.images.list({ prefix: '' })) keys.push(key)
      expect(keys).toEqual(['IMG_1', 'a.heic', 'b\nc.jpg'])
      const { lines } = await upload('--json', 'mixed')
      expect(lines.map((line) => JSON.parse(line).error?.code)).toEqual([
        ...Array(3).fill(undefined),
        ...Array(5).fill('image_unsupported'),
      ])
      await store.images.put('page', '<!doctype html>')
      await store.images.put('scan.bmp', 'BM')
      const listed = await run(folder.path, ['classify', '--json', 's3://images/'], store.env)
      expect(listed.code).toBe(3)
      expect(listed.lines.map(outcome)).toEqual([
        ['s3://images/IMG_1', 'jpeg'],
        ['s3://images/a.heic', 'heic'],
        ['s3://images/b\nc.jpg', 'jpeg'],
        ['s3://images/scan.bmp', 'image_unsupported'],
      ])
      expect(listed.stderr).toContain('Skipped 1 file that is not an image: 1 without an extension\n')
      const globbed = await run(folder.path, ['classify', '--json', 's3://images/*.heic'], store.env)
      expect(globbed.lines.map(outcome)).toEqual([['s3://images/a.heic', 'heic']])
    } finally {
      await store.close()
    }
  })
})

/** Drops the capabilities that let root read every file. */
const bounded = ['--bounding-set=-dac_override,-dac_read_search']
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return process.platform === 'win32' ? 'no permissions' : undefined
  try {
    execFileSync('setpriv', [...bounded, 'true'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'root can read every file, and setpriv is missing'
  }
}

needs(missing()).describe('what cannot be read', () => {
  it('is reported in one line, and the rest is classified', async () => {
    await mkdir(at('odd', 'locked'), { recursive: true })
    await copyFile(join(samples, 'cat.jpg'), at('odd', 'cat.jpg'))
    await writeFile(at('odd', 'secret.jpg'), 'secret')
    await chmod(at('odd', 'secret.jpg'), 0)
    await chmod(at('odd', 'locked'), 0)
    await symlink('nowhere', at('odd', 'link.jpg'))
    execFileSync('mkfifo', [at('odd', 'pipe.jpg')])
    const command = [process.execPath, bin, 'classify', 'odd', 'odd/locked/cat.jpg', 'odd/locked/*.jpg']
    const [program = '', ...args] = process.getuid?.() === 0 ? ['setpriv', ...bounded, ...command] : command
    const child = spawn(program, args, { cwd: folder.path, env: bareEnvironment(folder.path) })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text) => {
      stdout += text
    })
    child.stderr.on('data', (text) => {
      stderr += text
    })
    const [code] = await once(child, 'close')
    await chmod(at('odd', 'locked'), 0o700)
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^odd\/cat\.jpg {2}tiger cat/)
    expect(lines.slice(1)).toEqual([
      'odd/link.jpg  error: file_not_found, There is no file or folder odd/link.jpg',
      'odd/locked  error: access_denied, Not allowed to read odd/locked',
      'odd/pipe.jpg  error: file_unreadable, odd/pipe.jpg is a named pipe, not a file',
      'odd/secret.jpg  error: access_denied, Not allowed to read odd/secret.jpg',
      'odd/locked/cat.jpg  error: access_denied, Not allowed to read odd/locked/cat.jpg',
      'odd/locked/  error: access_denied, Not allowed to read odd/locked/',
    ])
    expect(code).toBe(3)
    expect(stderr).toMatch(/^Classified 1 image, 6 in error[^\n]*\n$/m)
    expect(stderr).not.toContain('    at ')
  })
})

describe('classify accepts', () => {
  it('an image from stdin', async () => {
    const child = spawn(process.execPath, [bin, 'classify', '--json', '-'], {
      cwd: folder.path,
      env: bareEnvironment(folder.path),
    })
    child.stdin.end(await sharp(sample('coffee')).webp().toBuffer())
    let stdout = ''
    child.stdout.on('data', (text) => {
      stdout += text
    })
    const [code] = await once(child, 'close')
    expect([code, ...outcome(stdout)]).toEqual([0, '-', 'webp'])
    expect(JSON.parse(stdout).labels[0].label).toBe('espresso')
  })

  it.each([
    ['photos/*.jpg', ['photos/cat.jpg', 'photos/coffee.jpg']],
    ['photos/**/c*a*.jpg', ['photos/2026/camera.jpg', 'photos/cat.jpg']],
    ['./photos/{cat,dog}.jpg', ['photos/cat.jpg']],
  ])('a glob, %s', async (glob, files) => {
    const { code, lines } = await whisklens('classify', '--json', '--quiet', glob)
    expect(code).toBe(0)
    expect(lines.map((line) => JSON.parse(line).file)).toEqual(files)
  })

  it('no glob without matches, and a file whose name looks like one', async () => {
    await copyFile(join(samples, 'cat.jpg'), at('photos', '[x].jpg'))
    const { code, lines } = await whisklens('classify', '--json', 'photos/*.webp', 'photos/[x].jpg')
    expect(code).toBe(3)
    expect(lines.map(outcome)).toEqual([
      ['photos/*.webp', 'file_not_found'],
      ['photos/[x].jpg', 'jpeg'],
    ])
  })
})

needs(totalmem() < 8e9 && 'this machine has less than 8 GB').it(
  'an image that does not fit an action of 512 MB is classified where there is more',
  async () => {
    const large = await plain(6000, 4000).avif({ effort: 0 }).toBuffer()
    await writeFile(at('large.avif'), large)
    const classify = (env = {}) =>
      run(folder.path, ['classify', '--json', '--workers', '2', 'large.avif'], env)
    expect((await classify()).lines.map(outcome)).toEqual([['large.avif', 'avif']])
    const limited = await classify({ WHISKLENS_MEMORY: '512' })
    expect(limited.lines.map(outcome)).toEqual([['large.avif', 'image_too_large']])
  },
)

describe('classify fetches URLs', () => {
  let server: Server
  let url: string
  const asked: string[] = []

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = new URL(request.url ?? '', 'http://host').pathname
      asked.push(path)
      const busy = asked.filter((one) => one === path).length < 3
      if (path === '/cat.jpg') response.end(sample('cat'))
      else if (path === '/moved') response.writeHead(302, { location: '/cat.jpg' }).end()
      else if (path === '/page') response.end('<!doctype html><title>Sign in</title>')
      else if (path === '/private') response.writeHead(403).end()
      else if (path === '/busy' && busy) response.writeHead(503).end()
      else if (path === '/busy') response.end(sample('coffee'))
      else if (path === '/claims') response.writeHead(200, { 'content-length': 1e9 }).write('x')
      else if (path === '/endless') pipeline(endless(), response, () => {})
      else response.writeHead(404).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  /** A body above the size limit, without Content-Length. */
  const endless = (): Readable => Readable.from(Array(100).fill(Buffer.alloc(1 << 20)))

  it('with redirects, retries and limits', async () => {
    const paths = ['cat.jpg', 'moved', 'page', 'private?sig=secret', 'busy', 'claims', 'endless', 'nope']
    const { code, lines } = await whisklens('classify', '--json', ...paths.map((path) => `${url}/${path}`))
    expect(code).toBe(3)
    expect(lines.map(outcome)).toEqual([
      [`${url}/cat.jpg`, 'jpeg'],
      [`${url}/moved`, 'jpeg'],
      [`${url}/page`, 'image_unsupported'],
      [`${url}/private?sig=secret`, 'access_denied'],
      [`${url}/busy`, 'jpeg'],
      [`${url}/claims`, 'image_too_large'],
      [`${url}/endless`, 'image_too_large'],
      [`${url}/nope`, 'image_missing'],
    ])
    expect(JSON.parse(lines[2] ?? '').error.message).toBe('The object is an HTML page, not an image')
    expect(JSON.parse(lines[3] ?? '').error.message).toBe(`Could not fetch ${url}/private: HTTP status 403`)
    expect(asked.filter((path) => path === '/busy')).toHaveLength(3)
    expect(asked.filter((path) => path === '/nope')).toHaveLength(1)
  })
})
