import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { listKeys, put, send, signHeaders, temporaryStore } from './object-store-client'

const children: ChildProcess[] = []

/** Starts the store in a child process; resolves with its first line, the endpoint or an error. */
async function startChild(dataDir: string): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(__dirname, 'object-store-child.ts'), dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  children.push(child)
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, line }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const md5 = (data: string): string => createHash('md5').update(data).digest('hex')

let store: Awaited<ReturnType<typeof temporaryStore>>
let folder: string
const journal = () => join(folder, 'journal.jsonl')
const bodies = () => readdir(join(folder, 'bodies'))
const text = async (path: string) => (await send(store.endpoint, { path })).text

beforeEach(async () => {
  store = await temporaryStore()
  folder = join(store.dataDir, 'buckets', 'bucket')
  await put(store.endpoint, '/bucket')
})

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  await store.remove()
})

async function beginUpload(key: string): Promise<string> {
  const { text } = await send(store.endpoint, { method: 'POST', path: `/bucket/${key}`, query: 'uploads=' })
  return /<UploadId>(\w+)</.exec(text)?.[1] ?? ''
}

describe('a restart', () => {
  it('keeps CORS rules, also when the journal is compacted', async () => {
    const rule = '<AllowedOrigin>https://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>'
    const body = `<CORSConfiguration><CORSRule>${rule}</CORSRule></CORSConfiguration>`
    const set = (method: string, text = '') =>
      send(store.endpoint, { method, path: '/bucket', query: 'cors=', body: text })
    const found = async () => (await send(store.endpoint, { path: '/bucket', query: 'cors=' })).text
    const restart = async () => {
      await store.stop()
      await store.start()
    }
    expect((await set('PUT', body)).status).toBe(200)
    await restart()
    expect(await found()).toContain(rule)
    for (let n = 0; n < 1100; n++) await appendFile(journal(), `{"n":${n + 10},"remove":"none","at":0}\n`)
    await restart()
    expect(await found()).toContain(rule)
    expect((await readFile(journal(), 'utf8')).split('\n').length).toBeLessThan(10)
    expect((await set('DELETE')).status).toBe(204)
    await restart()
    expect(await found()).toContain('NoSuchCORSConfiguration')
  })

  it('keeps buckets, objects, metadata and dates', async () => {
    await put(store.endpoint, '/bucket/a', 'first')
    await put(store.endpoint, '/bucket/a', 'second', {
      'content-type': 'image/jpeg',
      'x-amz-meta-camera': 'one',
    })
    await put(store.endpoint, '/bucket/deleted', 'x')
    await send(store.endpoint, { method: 'DELETE', path: '/bucket/deleted' })
    const before = [
      await text('/'),
      await text('/bucket'),
      (await send(store.endpoint, { path: '/bucket/a' })).headers,
    ]
    await store.stop()
    await store.start()
    const after = [
      await text('/'),
      await text('/bucket'),
      (await send(store.endpoint, { path: '/bucket/a' })).headers,
    ]
    for (const headers of [before[2], after[2]] as Record<string, string>[]) {
      expect(headers).toMatchObject({ 'content-type': 'image/jpeg', 'x-amz-meta-camera': 'one' })
      for (const name of ['date', 'x-amz-request-id']) delete headers[name]
    }
    expect(after).toEqual(before)
    expect(await text('/bucket/a')).toBe('second')
  })

  it('keeps multipart uploads in progress', async () => {
    const id = await beginUpload('large')
    const part = { method: 'PUT', path: '/bucket/large', query: `partNumber=1&uploadId=${id}`, body: 'part' }
    await send(store.endpoint, part)
    await store.stop()
    await store.start()
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5('part')}</ETag></Part></CompleteMultipartUpload>`
    await send(store.endpoint, { method: 'POST', path: '/bucket/large', query: `uploadId=${id}`, body })
    expect(await text('/bucket/large')).toBe('part')
  })

  it('leaves no unreferenced bodies', async () => {
    const id = await beginUpload('large')
    await send(store.endpoint, {
      method: 'PUT',
      path: '/bucket/large',
      query: `partNumber=1&uploadId=${id}`,
      body: 'p',
    })
    await put(store.endpoint, '/bucket/a', 'kept')
    await store.stop()
    await writeFile(join(folder, 'bodies', 'orphan'), 'half an obj')
    await store.start()
    const left = await bodies()
    expect(left).toHaveLength(2)
    expect(left).not.toContain('orphan')
  })

  it('deletes a bucket whose creation was interrupted', async () => {
    await store.stop()
    await mkdir(join(store.dataDir, 'buckets', 'half', 'bodies'), { recursive: true })
    await store.start()
    expect(await text('/')).not.toContain('half')
    expect((await put(store.endpoint, '/half')).status).toBe(200)
  })

  it('drops an incomplete last line of the journal, wherever it ends', async () => {
    await put(store.endpoint, '/bucket/a', 'kept')
    const whole = (await stat(journal())).size
    await put(store.endpoint, '/bucket/b', 'torn')
    const end = (await stat(journal())).size
    for (const size of [end - 1, whole + 20, whole + 1]) {
      await store.stop()
      await truncate(journal(), size)
      await store.start()
      expect(await listKeys(store.endpoint, 'bucket')).toEqual(['a'])
      expect((await stat(journal())).size).toBe(whole)
      await put(store.endpoint, '/bucket/b', 'again')
      expect(await text('/bucket/b')).toBe('again')
    }
  })

  it('refuses a journal that is damaged before its end, and says where', async () => {
    await store.stop()
    await appendFile(journal(), '{"n":1,"pu\n')
    await expect(store.start()).rejects.toMatchObject({
      code: 'store_damaged',
      message: expect.stringContaining('journal.jsonl'),
    })
    await writeFile(journal(), (await readFile(journal(), 'utf8')).replace('{"n":1,"pu\n', ''))
    await store.start()
  })

  it('compacts a journal that is mostly history', async () => {
    for (let n = 0; n < 550; n++) {
      await put(store.endpoint, '/bucket/again', `${n}`)
      await send(store.endpoint, { method: 'DELETE', path: '/bucket/again' })
    }
    await put(store.endpoint, '/bucket/a', 'kept')
    const id = await beginUpload('large')
    const before = await text('/bucket')
    await store.stop()
    const long = (await stat(journal())).size
    await store.start()
    expect((await stat(journal())).size).toBeLessThan(long / 100)
    expect(await text('/bucket')).toBe(before)
    expect((await send(store.endpoint, { path: '/bucket/large', query: `uploadId=${id}` })).status).toBe(200)
    await put(store.endpoint, '/bucket/b', 'more')
    await store.stop()
    await store.start()
    expect(await listKeys(store.endpoint, 'bucket')).toEqual(['a', 'b'])
  })
})

describe('the data folder', () => {
  it('belongs to one process at a time', async () => {
    await expect(store.start()).rejects.toMatchObject({ code: 'store_locked' })
    const { line } = await startChild(store.dataDir)
    expect(line).toContain(`in use by process ${process.pid}`)
  })

  it('is taken over from a dead process', async () => {
    await store.stop()
    const { child, line } = await startChild(store.dataDir)
    await put(line, '/bucket/a', 'by the child')
    await kill(child)
    await store.start()
    expect(await text('/bucket/a')).toBe('by the child')
  })

  it('is taken over if the pid of the lock belongs to another process', async () => {
    await store.stop()
    await writeFile(join(store.dataDir, 'lock'), `${process.pid} 1`)
    await store.start()
  })
})

describe('a kill (SIGKILL)', () => {
  it('in the middle of a put leaves the old object or none, never half of one', async () => {
    await put(store.endpoint, '/bucket/old', 'old')
    await store.stop()
    const { child, line: endpoint } = await startChild(store.dataDir)
    const size = 4 * 1024 * 1024
    const halves = ['old', 'new'].map((key) => {
      const sent = {
        method: 'PUT',
        path: `/bucket/${key}`,
        headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': `${size}` },
      }
      const { hostname, port } = new URL(endpoint)
      const { headers } = signHeaders(endpoint, sent)
      const outgoing = request({ hostname, port, method: 'PUT', path: sent.path, headers })
      outgoing.on('error', () => {})
      outgoing.write(Buffer.alloc(size / 2))
      return outgoing
    })
    // Both uploads are in progress once two more bodies are on disk.
    const sizes = async () =>
      Promise.all((await bodies()).map(async (file) => (await stat(join(folder, 'bodies', file))).size))
    while ((await sizes()).filter((bytes) => bytes > 1024).length < 2) await sleep(10)
    await kill(child)
    for (const half of halves) half.destroy()
    await store.start()
    expect(await listKeys(store.endpoint, 'bucket')).toEqual(['old'])
    expect(await text('/bucket/old')).toBe('old')
    expect(await bodies()).toHaveLength(1)
  })

  it('under load loses no acknowledged write, and lists only readable objects', async () => {
    await store.stop()
    const { child, line: endpoint } = await startChild(store.dataDir)
    const answered = new Map<string, string>()
    let count = 0
    async function load(worker: number): Promise<void> {
      for (let n = 0; ; n++) {
        const key = `${worker}-${n % 5}`
        const body = `${key} version ${n}`.repeat(100)
        // The content is unknown until the write is acknowledged.
        answered.delete(key)
        const { status } = await put(endpoint, `/bucket/${key}`, body)
        expect(status).toBe(200)
        answered.set(key, body)
        if (++count === 300) child.kill('SIGKILL')
      }
    }
    await Promise.allSettled([1, 2, 3, 4, 5, 6].map(load))
    await kill(child)
    await store.start()
    expect(answered.size).toBeGreaterThan(10)
    for (const [key, body] of answered) expect(await text(`/bucket/${key}`)).toBe(body)
    const keys = await listKeys(store.endpoint, 'bucket')
    for (const key of keys) {
      const { headers, text } = await send(store.endpoint, { path: `/bucket/${key}` })
      expect(headers.etag).toBe(`"${md5(text)}"`)
    }
    expect(await bodies()).toHaveLength(keys.length)
  })
})

describe('a body', () => {
  it('is dropped when the client disconnects', async () => {
    const sent = {
      method: 'PUT',
      path: '/bucket/cut',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-length': '1000000' },
    }
    const { hostname, port } = new URL(store.endpoint)
    const { headers } = signHeaders(store.endpoint, sent)
    const outgoing = request({ hostname, port, method: 'PUT', path: sent.path, headers })
    outgoing.on('error', () => {})
    outgoing.write('some of it')
    while ((await bodies()).length === 0) await sleep(5)
    outgoing.destroy()
    while ((await bodies()).length > 0) await sleep(5)
    expect(await listKeys(store.endpoint, 'bucket')).toEqual([])
  })

  it('is read to its end although the object is replaced meanwhile', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, 'old')
    await put(store.endpoint, '/bucket/a', body)
    const { headers } = signHeaders(store.endpoint, { path: '/bucket/a' })
    const answer = await fetch(`${store.endpoint}/bucket/a`, { headers })
    await put(store.endpoint, '/bucket/a', 'new')
    while ((await bodies()).length > 1) await sleep(5)
    expect(body.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true)
  })

  it('does not outlive its bucket', async () => {
    await send(store.endpoint, { method: 'DELETE', path: '/bucket' })
    expect((await put(store.endpoint, '/bucket/a', 'x')).code).toBe('NoSuchBucket')
    await put(store.endpoint, '/bucket')
    expect(await listKeys(store.endpoint, 'bucket')).toEqual([])
  })
})
