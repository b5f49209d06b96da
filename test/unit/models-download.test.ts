import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { download } from '../../src/models/catalogue/download'
import { sha256Of } from '../../src/sha256'
import { startTlsFront, type TlsFront } from '../helpers/tls'

/*
 * Uses a local server and a local proxy.
 */

let folder: string
let server: Server
let answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void
let asked: string[]
const saved = { ...process.env }

const listen = async (made: Server): Promise<string> => {
  made.listen(0, '127.0.0.1')
  await once(made, 'listening')
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`
}
let origin: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whisklens-download-'))
  process.env.XDG_CACHE_HOME = folder
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'])
    delete process.env[name]
  asked = []
  answer = (_, outgoing) => outgoing.end('weights')
  server = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '')
    answer(incoming, outgoing)
  })
  origin = await listen(server)
})

afterEach(async () => {
  process.env = { ...saved }
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

const digest = createHash('sha256').update('weights').digest('hex')

describe('a downloaded file', () => {
  it('is fetched once, including its query, and then cached', async () => {
    const url = `${origin}/model.json?tfjs-format=file`
    expect(String(await download(url))).toBe('weights')
    expect(String(await download(url, digest))).toBe('weights')
    expect(asked).toEqual(['/model.json?tfjs-format=file'])
  })

  it('is cached separately from others', async () => {
    answer = ({ url }, outgoing) => outgoing.end(url)
    const contents = await Promise.all(['/a', '/b'].map((path) => download(origin + path)))
    expect(contents.map(String)).toEqual(['/a', '/b'])
  })

  it('is refused with another checksum, and not cached', async () => {
    const expected = sha256Of(Buffer.from('other'))
    await expect(download(`${origin}/a`, expected)).rejects.toMatchObject({
      code: 'wrong_checksum',
      message: expect.stringContaining(digest),
    })
    await expect(download(`${origin}/a`, expected)).rejects.toMatchObject({ code: 'wrong_checksum' })
    expect(asked).toHaveLength(2)
  })

  it('is fetched again if the cached one has another checksum', async () => {
    await download(`${origin}/a`)
    answer = (_, outgoing) => outgoing.end('newer')
    const newer = sha256Of(Buffer.from('newer'))
    expect(String(await download(`${origin}/a`, newer))).toBe('newer')
    expect(asked).toHaveLength(2)
  })

  it('is retried after a temporary error', async () => {
    answer = (_, outgoing) => {
      if (asked.length > 1) outgoing.end('weights')
      else outgoing.writeHead(503).end()
    }
    expect(String(await download(`${origin}/a`))).toBe('weights')
    expect(asked).toHaveLength(2)
  })

  it('is retried when the connection breaks', async () => {
    answer = (_, outgoing) => {
      if (asked.length > 1) outgoing.end('weights')
      else {
        outgoing.writeHead(200, { 'content-length': 7 }).write('wei')
        setImmediate(() => outgoing.destroy())
      }
    }
    expect(String(await download(`${origin}/a`))).toBe('weights')
  })

  it('is not retried if it is missing, with an error that says where and what to do', async () => {
    answer = (_, outgoing) => outgoing.writeHead(404).end('not here')
    await expect(download(`${origin}/a`)).rejects.toMatchObject({
      code: 'download_failed',
      message: `Could not download ${origin}/a: the server responded with 404`,
      hint: expect.stringContaining('--from'),
    })
    expect(asked).toHaveLength(1)
  })

  it('is fetched through redirects', async () => {
    answer = ({ url }, outgoing) => {
      if (url === '/new') outgoing.end('weights')
      else outgoing.writeHead(302, { location: '/new' }).end()
    }
    expect(String(await download(`${origin}/old`))).toBe('weights')
  })
})

describe('a file downloaded over TLS', () => {
  let front: TlsFront

  beforeEach(async () => {
    front = await startTlsFront(origin)
  })
  afterEach(() => front.close())

  it('is fetched with the authority of WHISKLENS_CA, through a proxy, too', async () => {
    process.env.WHISKLENS_CA = front.ca
    expect(String(await download(`${front.url}/a`))).toBe('weights')
    const proxy = createServer().on('connect', (incoming, socket) => {
      const upstream = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.on('error', () => socket.destroy())
    })
    process.env.HTTPS_PROXY = await listen(proxy)
    expect(String(await download(`${front.url}/b`))).toBe('weights')
    proxy.closeAllConnections()
    proxy.close()
  })

  it('is not retried with an unknown authority', async () => {
    await expect(download(`${front.url}/a`)).rejects.toMatchObject({
      code: 'download_failed',
      message: expect.stringContaining('certificate'),
      hint: expect.stringContaining('WHISKLENS_CA'),
    })
    expect(front.attempts()).toBe(1)
  })
})

describe('behind a proxy', () => {
  let proxy: Server
  let through: string[]

  beforeEach(async () => {
    through = []
    // Forwards http requests, and tunnels https with CONNECT.
    proxy = createServer((incoming, outgoing) => {
      through.push(`GET ${incoming.url}`)
      request(incoming.url ?? '', (response) => response.pipe(outgoing)).end()
    })
    proxy.on('connect', (incoming, socket) => {
      through.push(`CONNECT ${incoming.url}`)
      const [host, port] = (incoming.url ?? '').split(':')
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
      upstream.on('error', () => socket.destroy())
      socket.on('error', () => upstream.destroy())
    })
    process.env.HTTP_PROXY = await listen(proxy)
  })
  afterEach(() => {
    proxy.closeAllConnections()
    proxy.close()
  })

  it('is used', async () => {
    expect(String(await download(`${origin}/a`))).toBe('weights')
    expect(through).toHaveLength(1)
    expect(asked).toEqual(['/a'])
  })

  it('is bypassed for the hosts of NO_PROXY', async () => {
    process.env.NO_PROXY = '127.0.0.1'
    expect(String(await download(`${origin}/a`))).toBe('weights')
    expect(through).toEqual([])
  })

  it('keeps its password out of errors', async () => {
    const address = new URL(process.env.HTTP_PROXY ?? '')
    proxy.closeAllConnections()
    proxy.close()
    process.env.HTTP_PROXY = `http://user:not-for-you@${address.host}`
    const error = await download(`${origin}/a`).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'download_failed', message: expect.stringContaining('ECONNREFUSED') })
    expect(JSON.stringify([error.message, error.hint])).not.toContain('not-for-you')
  })
})
