import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Settings, settingsFromParams } from '../src/config'
import type { ImageRecord, ImageRef } from '../src/schema'
import { openStore } from '../src/storage/store'
import { mixedImages } from './memory/images'
import { bundleScripts, root, type Start, startChild } from './processes'
import { imageStart } from './runtime-image'
import { megabytes, table } from './scale/table'
import { unpack } from './unpack'

/*
 * Memory of `classify` over photos of all formats and sizes up to 24 megapixels: in an action of 512 MB as deployed to stock
 * nodejs:20, and in one of 256 MB as started by the runtime image. Linux only, because it reads /proc. Fails if memory exceeds the
 * action's limit, or if an image ends otherwise than with labels or refused by its header as too large for the action.
 */

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '500' },
    chunk: { type: 'string', default: '50' },
    /** Zip of `classify` from scripts/build-stock.ts, with an engine and its model. */
    zip: { type: 'string', default: join(root, 'dist', 'stock', 'classify.zip') },
    engine: { type: 'string', default: 'onnx' },
    json: { type: 'boolean', default: false },
  },
})

const [count, chunk] = [Number(values.images), Number(values.chunk)]

/** Memory limit of the simulated action, MB. */
const actions = { stock: 512, image: 256 }

/** Resident memory at a moment, and its peak, bytes. */
interface Sample {
  images: number
  /** Images refused so far. */
  refused: number
  resident: number
  peak: number
}

async function sampleOf(child: ChildProcess, images: number, refused: number): Promise<Sample> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
  return { images, refused, resident: bytes('VmRSS'), peak: bytes('VmHWM') }
}

/** Start options of stock nodejs:20. */
const stock: Start = { environment: {}, options: ['--expose-gc'] }

async function startContainer(
  folder: string,
  memory: number,
  { environment, options }: Start,
): Promise<ChildProcess> {
  const script = join(root, 'bench', 'contestants', 'unpacked-container.js')
  const env = { PATH: process.env.PATH, WHISKLENS_MEMORY: String(memory), ...environment }
  const child = fork(script, [folder], { cwd: folder, env, execArgv: options })
  await once(child, 'message')
  return child
}

/** Classifies `count` images in chunks. @throws Error if one of them fails */
async function measure(container: ChildProcess, mixed: ImageRef[], settings: Settings): Promise<Sample[]> {
  const samples = [await sampleOf(container, 0, 0)]
  let refused = 0
  for (let done = 0; done < count; ) {
    // 31 is coprime to the number of images, so sizes and formats are mixed.
    const images = Array.from(
      { length: Math.min(chunk, count - done) },
      (_, index) => mixed[((done + index) * 31) % mixed.length],
    )
    container.send({ ...settings, images })
    const [answer] = (await once(container, 'message')) as [{ images?: ImageRecord[] }]
    const tooLarge = ({ error }: ImageRecord) => error?.code === 'image_too_large'
    refused += answer.images?.filter(tooLarge).length ?? 0
    const bad = answer.images?.find((record) => record.status !== 'ok' && !tooLarge(record))
    if (bad || answer.images?.length !== images.length) throw new Error(JSON.stringify(bad ?? answer))
    done += images.length
    samples.push(await sampleOf(container, done, refused))
  }
  return samples
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-memory-'))
  const [action, scripts] = [join(folder, 'action'), join(folder, 'scripts')]
  await unpack(values.zip, action)
  await bundleScripts(['store'], scripts)
  const store = await startChild(join(scripts, 'store.js'), [join(folder, 'store')])
  try {
    const settings = settingsFromParams({
      ...(await store.ask('settings')),
      engine: values.engine,
      thumbnails: 'true',
    })
    const objects = openStore(settings)
    const bucket = objects.bucket('mixed')
    for (const each of [bucket, objects.bucket(settings.resultsBucket)]) await each.createIfMissing()
    const mixed: ImageRef[] = []
    process.stderr.write('Generating images\n')
    for await (const { key, body } of mixedImages()) {
      await bucket.put(key, body)
      mixed.push({ bucket: bucket.name, key, size: body.length })
    }
    const found: Record<string, Sample[]> = {}
    const starts = { stock, image: await imageStart() }
    for (const [name, memory] of Object.entries(actions)) {
      process.stderr.write(`Classifying in the ${name} container\n`)
      const container = await startContainer(action, memory, starts[name as keyof typeof actions])
      found[name] = await measure(container, mixed, settings).finally(() => container.kill())
    }
    process.stdout.write(values.json ? `${JSON.stringify(found)}\n` : report(found, mixed.length))
    for (const [name, memory] of Object.entries(actions)) {
      if ((found[name]?.at(-1)?.peak ?? 0) > memory * 1024 * 1024) process.exitCode = 1
    }
  } finally {
    await store.stop()
    await rm(folder, { recursive: true })
  }
}

function report({ stock = [], image = [] }: Record<string, Sample[]>, different: number): string {
  const cells = ({ resident, peak, refused }: Sample) => [megabytes(resident), megabytes(peak), refused]
  const rows = stock.map((one, index) => [one.images, ...cells(one), ...cells(image[index] as Sample)])
  const head = ['images', 'stock, 512 MB', 'peak', 'refused', 'image, 256 MB', 'peak', 'refused']
  return `${table([head, ...rows])}\n${different} different images\n`
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
