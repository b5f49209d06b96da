import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { settingsFromParams, toEnvironment } from '../../src/config'
import { openStore } from '../../src/storage/store'
import { reference } from '../contestants'
import { type Child, startChild } from '../processes'
import { imageStart } from '../runtime-image'
import { inTurn, type Measurement, stopAll } from './measurement'

/** Images per second, by round. */
export interface Chunks {
  /** By engine: the network alone, and a chunk of 500×375 images from the object store. */
  engines: Record<string, { inference: number[]; chunk: number[] }>
  /** Chunks of one image with WebAssembly: 500×375, and 12 megapixels. */
  sizes: { small: number[]; large: number[] }
}

/**
 * Measures `classify` of the runtime image on chunks of a batch, with the object store in another process.
 * @param engines names, including WebAssembly
 * @param folder for the object store
 */
export async function measureChunks(
  engines: string[],
  photos: { small: string[]; large: string[] },
  scripts: string,
  folder: string,
): Promise<Measurement<Chunks>> {
  const store = await startChild(`${scripts}/store.js`, [folder])
  const settings = settingsFromParams(await store.ask('settings'))
  const keys = { small: await fill('small', photos.small), large: await fill('large', photos.large) }
  const children: { name: string; child: Child }[] = []
  const found: Chunks = { engines: {}, sizes: { small: [], large: [] } }
  const { environment, options } = await imageStart()
  const start = { environment: { ...environment, ...toEnvironment(settings) }, options }
  for (const name of engines) {
    const [photo = ''] = photos.small
    const child = await startChild(`${scripts}/whisklens.js`, [name, photo], start)
    children.push({ name, child })
    found.engines[name] = { inference: [], chunk: [] }
  }

  async function fill(bucketName: string, files: string[]): Promise<string[]> {
    const bucket = openStore(settings).bucket(bucketName)
    await bucket.createIfMissing()
    for (const file of files) await bucket.put(basename(file), await readFile(file))
    return files.map((file) => basename(file))
  }

  /** As many as in a chunk of a batch: the first image does not overlap with anything. */
  const manyKeys = Array.from({ length: 4 }, () => keys.small).flat()

  const chunk = (child: Child, bucket: 'small' | 'large', of: string[]) =>
    child.ask<number>('chunk', { bucket, keys: of })

  /** Sequentially, without overlap. */
  async function oneByOne(child: Child, bucket: 'small' | 'large'): Promise<number> {
    let seconds = 0
    for (const key of keys[bucket]) seconds += 1 / (await chunk(child, bucket, [key]))
    return keys[bucket].length / seconds
  }

  return {
    turn: async (round) => {
      for (const { name, child } of inTurn(children, round)) {
        const { inference, chunk: chunks } = found.engines[name] as Chunks['engines'][string]
        if (round === 0) await chunk(child, 'small', manyKeys)
        inference.push(await child.ask('infer', manyKeys.length))
        chunks.push(await chunk(child, 'small', manyKeys))
      }
      const { child } = children.find(({ name }) => name === reference) as { child: Child }
      found.sizes.small.push(await oneByOne(child, 'small'))
      found.sizes.large.push(await oneByOne(child, 'large'))
    },
    found: async () => found,
    stop: () => stopAll([...children.map(({ child }) => child), store]),
  }
}
