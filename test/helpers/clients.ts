import S3 from 'ibm-cos-sdk/clients/s3'
import openwhisk from 'openwhisk'
import type { Connection } from '../../src/local-connection'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import { eventually } from './local-mode'

/** Parses JSON Lines. */
export const parseLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)

/** Connection details of a deployment. */
export type Reached = Pick<Connection, 'apiHost' | 'auth' | 's3' | 'imagesBucket' | 'resultsBucket'>

/** Test queries against a running deployment, through the OpenWhisk and S3 clients that users have. */
export function clientsOf({ apiHost, auth, s3, imagesBucket, resultsBucket }: Reached) {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3
  const store = new S3({
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    s3ForcePathStyle: true,
    signatureVersion: 'v4',
  })
  const ow = openwhisk({ apihost: apiHost, api_key: auth })

  async function read(key: string): Promise<string | undefined> {
    try {
      return String((await store.getObject({ Bucket: resultsBucket, Key: key }).promise()).Body)
    } catch (thrown) {
      if ((thrown as { code: string }).code === 'NoSuchKey') return undefined
      throw thrown
    }
  }

  const summaryOf = async (batch: string) =>
    JSON.parse((await read(`batches/${batch}/summary.json`)) ?? 'null') as BatchSummary | null

  return {
    store,
    ow,
    read,
    summaryOf,
    /** @returns ETag */
    async upload(key: string, body: Buffer, bucket = imagesBucket): Promise<string> {
      const { ETag = '' } = await store.putObject({ Bucket: bucket, Key: key, Body: body }).promise()
      return ETag.replaceAll('"', '')
    },
    /** All keys below a prefix in the results bucket. */
    async keys(prefix: string): Promise<string[]> {
      const keys: string[] = []
      for (let token: string | undefined, more = true; more; more = token !== undefined) {
        const page = await store
          .listObjectsV2({ Bucket: resultsBucket, Prefix: prefix, ContinuationToken: token })
          .promise()
        keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key))
        token = page.NextContinuationToken
      }
      return keys
    },
    /** Fires `batch-requested`. @returns activation id */
    async fire(batch: string, params: object = {}): Promise<string> {
      const { activationId } = await ow.triggers.invoke({
        name: 'batch-requested',
        params: { batch, ...params },
      })
      return activationId
    },
    /** Changes the store endpoint of all actions, from the next activation on. */
    async putStoreAt(endpoint: string): Promise<void> {
      const { parameters = [], version } = await ow.packages.get({ name: 'whisklens' })
      const changed = parameters.map((one) => (one.key === 's3Endpoint' ? { ...one, value: endpoint } : one))
      await ow.packages.update({ name: 'whisklens', package: { version, parameters: changed } } as never)
    },
    /** Posts one notification about keys in the images bucket to `bucket-events`. @returns whether it was accepted */
    async postEvents(keys: string[]): Promise<boolean> {
      const { parameters = [] } = await ow.packages.get({ name: 'whisklens' })
      const token = parameters.find(({ key }) => key === 'eventsToken')?.value
      const Records = keys.map((key) => ({
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: imagesBucket }, object: { key } },
      }))
      const { ok } = await fetch(`${apiHost}/api/v1/web/guest/whisklens/bucket-events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ Records }),
      })
      return ok
    },
    completed: (batch: string, patience = 1_800_000): Promise<BatchSummary> =>
      eventually(
        async () => {
          const summary = await summaryOf(batch)
          return summary?.state === 'complete' && summary
        },
        `batch ${batch}`,
        patience,
      ),
    outcomes: async (batch: string, file = 'results.jsonl'): Promise<ImageRecord[]> =>
      parseLines((await read(`batches/${batch}/${file}`)) ?? ''),
  }
}
export type Clients = ReturnType<typeof clientsOf>
