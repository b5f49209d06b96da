// Classifies the given files as one chunk of a batch; prints the records and peak memory.
import { readFile, stat } from 'node:fs/promises'
import { classifyImages } from '../../src/batch/classify/classify-images'
import { loadModel } from '../../src/classifier/load'
import type { Store } from '../../src/storage/store'
import { peakBytes } from './memory'

async function main(): Promise<void> {
  const store = {
    bucket: () => ({
      get: async (key: string) => ({ body: await readFile(key), etag: 'e', size: 1, lastModified: '' }),
    }),
  } as unknown as Store
  const model = await loadModel('efficientnet-lite0', 'wasm')
  const images = await Promise.all(
    process.argv.slice(2).map(async (key) => ({ bucket: 'files', key, size: (await stat(key)).size })),
  )
  const records = await classifyImages(images, { model, store, activationId: 'a', deadline: Infinity })
  console.log(JSON.stringify({ records, peak: peakBytes() }))
}

main().catch((thrown) => {
  console.error(thrown)
  process.exitCode = 1
})
