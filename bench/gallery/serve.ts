import { log } from '../../src/log'
import { openStore } from '../../src/storage/store'
import { serveAction, startStore, token } from '../../test/helpers/gallery'
import { makeBatch } from '../../test/helpers/made-batch'

/*
 * Serves this checkout's gallery over a batch of generated records, in its own process, until stdin ends. Prints the URL. Also run in a
 * checkout of an earlier version, so it only uses what both have.
 */

const [records = 0, thumbnails = 0, originals = 0] = process.argv.slice(2).map(Number)

async function serve(): Promise<void> {
  log.level = 'silent'
  const store = await startStore()
  await makeBatch(openStore(store.settings), store, { batch: 'made', records, thumbnails, originals })
  const server = await serveAction(store.settings)
  // In the earlier version, the store allowed pages of all origins.
  if ('allow' in store) await store.allow(new URL(server.url).origin)
  process.stdout.write(`${server.url}?token=${token}&batch=made\n`)
  process.stdin.resume().on('end', async () => {
    await server.close()
    await store.close()
    process.exit()
  })
}

void serve()
