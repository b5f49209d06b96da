import { Command } from 'commander'
import { settingsFromEnvironment } from '../src/config'
import { startObjectStore } from '../src/local/store/server'
import { log } from '../src/log'
import { openStore } from '../src/storage/store'
import { makeBatch } from '../test/helpers/made-batch'

/*
 * Fills the configured store, or that of a local mode's data folder, with a closed batch of generated records, for trying the gallery
 * at any size.
 */

interface Flags {
  batch: string
  records: number
  thumbnails: number
  originals: number
  folder?: string
}

new Command('make-records')
  .description('write a closed batch of made records into a store')
  .option('--batch <id>', 'its id', 'made')
  .option('--records <n>', 'how many', Number, 100_000)
  .option('--thumbnails <n>', 'so many rows have one of their own; the others share a few', Number, 2000)
  .option('--originals <n>', 'the first so many images are there', Number, 200)
  .option('--folder <folder>', 'data folder of a local mode that is not running, such as .whisklens')
  .action(async ({ folder, ...options }: Flags) => {
    log.level = 'warn'
    const local = folder === undefined ? undefined : await startFolder(folder)
    const settings = { ...settingsFromEnvironment(), ...local?.settings }
    const store = openStore(settings)
    const [images, results] = [store.bucket(settings.imagesBucket), store.bucket(settings.resultsBucket)]
    for (const bucket of [images, results]) await bucket.createIfMissing()
    const started = performance.now()
    const { totals } = await makeBatch(store, { images, results }, options)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`${options.batch}: ${totals.ok} ok, ${totals.error} in error, in ${seconds} s\n`)
    await local?.close()
  })
  .parseAsync()

/** Starts the store of a data folder with temporary credentials. */
async function startFolder(folder: string) {
  const credentials = { accessKeyId: 'made', secretAccessKey: 'made-for-this-process' }
  const dataDir = `${folder}/store`
  const server = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
  const settings = {
    s3Endpoint: server.endpoint,
    s3Region: 'us-east-1',
    s3AccessKeyId: credentials.accessKeyId,
    s3SecretAccessKey: credentials.secretAccessKey,
  }
  return { settings, close: server.close }
}
