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
 * What a deployment finds on a cluster: an OpenWhisk with nothing in it, Versity S3 Gateway with two empty buckets, and
 * the command line with its settings in the environment. Images are uploaded by a second gateway over the same folder,
 * which has the webhook: a gateway tells of all its buckets, and nobody wants to hear of each record.
 */
export async function startCluster() {
  const dataDir = await newDataDir()
  let openwhisk = await startOpenWhisk(dataDir, '0')
  const apiHost = openwhisk.url
  const gateway = await startVersity()
  // It asks whether anybody listens when it starts, and ends where nobody does.
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
    /** The client of the gateway that has the webhook. */
    uploads: clientsOf({ ...reached, s3: uploads }).store,
    /** What nobody may find anywhere. */
    secrets: [gateway.secretAccessKey, eventsToken, resultsToken, auth.split(':')[1] ?? ''],
    /** Runs a command of Whisklens. */
    run: (...args: string[]) => whisklens(args, env),
    /** All that OpenWhisk keeps of what was deployed. */
    entities: async () => JSON.parse(await readFile(join(dataDir, 'entities.json'), 'utf8')) as object[],
    /** Has the feed of the images bucket changed. @returns its answer; the client's types leave this out */
    async updateFeed(params: Dict): Promise<Dict> {
      const feeds = clients.ow.feeds as unknown as { update(options: Dict): Promise<Dict> }
      const feed = { name: 'whisklens/bucket-feed', trigger: 'image-uploaded' }
      return (await feeds.update({ ...feed, params })).response.result
    },
    /** Has the images bucket polled now. @returns the batch of the day, which looks through it */
    async poll(): Promise<string | undefined> {
      const params = { poll: '/guest/image-uploaded' }
      const { activationId } = await clients.ow.actions.invoke({ name: 'whisklens/start-batch', params })
      const ended = () => clients.ow.activations.get({ name: activationId }).catch(() => undefined)
      const { response } = await eventually(ended, 'the poll', 600_000)
      expect(response).toMatchObject({ success: true })
      return response?.result.batch
    },
    /** Ends OpenWhisk as a power cut would. */
    kill: () => end('SIGKILL'),
    /** Starts it again, where it was. */
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
