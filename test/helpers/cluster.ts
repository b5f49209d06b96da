import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Dict } from 'openwhisk'
import { clientsOf } from './clients'
import { eventually, newDataDir, removeDataDir, whisklens } from './local-mode'
import { startVersity } from './versity'

const auth = '23bc46b1-71f6-4ed5-8c54-816aa4f8c502:a-key-of-the-cluster'
const eventsToken = 'events-token-of-the-cluster'
const resultsToken = 'results-token-of-the-cluster'

async function startOpenWhisk(dataDir: string, port: string): Promise<{ child: ChildProcess; url: string }> {
  const program = join(__dirname, 'openwhisk-child.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', program, dataDir, port, auth], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = once(createInterface({ input: child.stdout }), 'line')
  const [url] = await Promise.race([line, once(child, 'exit').then(() => [])])
  if (!url) throw new Error('The API host ended before it was ready')
  return { child, url: String(url) }
}

/**
 * Prerequisites of a deployment on a cluster: an empty OpenWhisk, Versity S3 Gateway with two empty buckets, and the
 * command line configured by environment variables. Images are uploaded through a second gateway over the same folder,
 * which has the webhook: a gateway notifies of all its buckets, and result records would flood it.
 */
export async function startCluster() {
  const dataDir = await newDataDir()
  let openwhisk = await startOpenWhisk(dataDir, '0')
  const apiHost = openwhisk.url
  const gateway = await startVersity()
  // The gateway checks the webhook when it starts, and exits if nothing listens there.
  const webhook = `${apiHost}/api/v1/web/guest/whisklens/bucket-events?token=${eventsToken}`
  const uploads = await startVersity({ webhook, over: gateway.folder })
  const reached = { apiHost, auth, s3: gateway, imagesBucket: 'images', resultsBucket: 'results' }
  const clients = clientsOf(reached)
  for (const Bucket of ['images', 'results']) await clients.store.createBucket({ Bucket }).promise()
  const env = {
    WHISKLENS_APIHOST: apiHost,
    WHISKLENS_AUTH: auth,
    WHISKLENS_S3_ENDPOINT: gateway.endpoint,
    WHISKLENS_S3_REGION: gateway.region,
    WHISKLENS_S3_ACCESS_KEY_ID: gateway.accessKeyId,
    WHISKLENS_S3_SECRET_ACCESS_KEY: gateway.secretAccessKey,
    WHISKLENS_EVENTS_TOKEN: eventsToken,
    WHISKLENS_RESULTS_TOKEN: resultsToken,
    WHISKLENS_RUNTIME_IMAGE: 'whisklens-runtime',
  }
  const end = async (signal?: NodeJS.Signals): Promise<void> => {
    const exited = once(openwhisk.child, 'exit')
    openwhisk.child.kill(signal)
    await exited
  }
  return {
    ...clients,
    upload: clientsOf({ ...reached, s3: uploads }).upload,
    /** Client of the gateway with the webhook. */
    uploads: clientsOf({ ...reached, s3: uploads }).store,
    /** Values that must not appear in any output. */
    secrets: [gateway.secretAccessKey, eventsToken, resultsToken, auth.split(':')[1] ?? ''],
    /** Runs a Whisklens command. */
    run: (...args: string[]) => whisklens(args, env),
    /** All entities stored by OpenWhisk. */
    entities: async () => JSON.parse(await readFile(join(dataDir, 'entities.json'), 'utf8')) as object[],
    /** Updates the feed of the images bucket. @returns its answer; the client's types lack this call */
    async updateFeed(params: Dict): Promise<Dict> {
      const feeds = clients.ow.feeds as unknown as { update(options: Dict): Promise<Dict> }
      const feed = { name: 'whisklens/bucket-feed', trigger: 'image-uploaded' }
      return (await feeds.update({ ...feed, params })).response.result
    },
    /** Polls the images bucket now. @returns id of the day's batch, which lists the bucket */
    async poll(): Promise<string | undefined> {
      const params = { poll: '/guest/image-uploaded' }
      const { activationId } = await clients.ow.actions.invoke({ name: 'whisklens/start-batch', params })
      const ended = () => clients.ow.activations.get({ name: activationId }).catch(() => undefined)
      const { response } = await eventually(ended, 'the poll', 600_000)
      expect(response).toMatchObject({ success: true })
      return response?.result.batch
    },
    /** Kills OpenWhisk, as in a power failure. */
    kill: () => end('SIGKILL'),
    /** Restarts it at the same address with the same data. */
    async restart(): Promise<void> {
      openwhisk = await startOpenWhisk(dataDir, new URL(apiHost).port)
    },
    async close(): Promise<void> {
      await end()
      await uploads.close()
      await gateway.close()
      await removeDataDir(dataDir)
    },
  }
}
export type Cluster = Awaited<ReturnType<typeof startCluster>>
