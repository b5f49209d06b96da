import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { send } from '../unit/object-store-client'
import { freePort, installed, installInFull } from './installed'
import { eventually } from './local-mode'
import { needs } from './needs'

const goModule = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c'

/** MinIO, a real S3 server with IAM policies. Installed by `go install`. */
const binary = installed('minio') ?? installInFull(goModule, 'minio')

/** `describe` for tests that need MinIO. */
export const withMinio = needs(
  !binary && 'MinIO is not installed (npm run check:full installs it where Go is)',
).describe

const region = 'us-east-1'
const kmsKeyId = 'whisklens'
const owner = { accessKeyId: 'access', secretAccessKey: 'a-secret-for-tests' }

/**
 * Starts a server on loopback with an encryption key.
 * @param webhook URL for the events of watched buckets
 */
export async function startMinio(webhook?: string) {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-minio-'))
  const address = `127.0.0.1:${await freePort()}`
  const endpoint = `http://${address}`
  const child = spawn(binary ?? '', ['server', '--quiet', '--address', address, folder], {
    env: {
      PATH: process.env.PATH,
      // MinIO looks for certificates here.
      HOME: folder,
      MINIO_ROOT_USER: owner.accessKeyId,
      MINIO_ROOT_PASSWORD: owner.secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      // Otherwise, MinIO rejects a data folder on the root drive.
      MINIO_CI_CD: 'on',
      ...(webhook && {
        MINIO_NOTIFY_WEBHOOK_ENABLE_whisklens: 'on',
        MINIO_NOTIFY_WEBHOOK_ENDPOINT_whisklens: webhook,
      }),
      MINIO_KMS_SECRET_KEY: `${kmsKeyId}:${randomBytes(32).toString('base64')}`,
    },
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  const isReady = () =>
    fetch(`${endpoint}/minio/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  await eventually(isReady, 'MinIO')
  return {
    endpoint,
    region,
    ...owner,
    kmsKeyId,
    /** Subscribes the webhook to a bucket's events; the SDK has no call for it. */
    async watch(bucket: string): Promise<void> {
      const events = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'].map((event) => `<Event>${event}</Event>`)
      const queue = '<Queue>arn:minio:sqs::whisklens:webhook</Queue>'
      const configuration = `<QueueConfiguration>${queue}${events.join('')}</QueueConfiguration>`
      const { status } = await send(endpoint, {
        method: 'PUT',
        path: `/${bucket}`,
        query: 'notification=',
        body: `<NotificationConfiguration>${configuration}</NotificationConfiguration>`,
        accessKeyId: owner.accessKeyId,
        secret: owner.secretAccessKey,
      })
      if (status !== 200) throw new Error(`MinIO answered ${status}`)
    },
    /** Temporary credentials, limited by a policy. */
    async assumeRole(policy: object) {
      const body = new URLSearchParams({
        Action: 'AssumeRole',
        Version: '2011-06-15',
        Policy: JSON.stringify(policy),
      }).toString()
      const { text } = await send(endpoint, {
        method: 'POST',
        path: '/',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        service: 'sts',
        accessKeyId: owner.accessKeyId,
        secret: owner.secretAccessKey,
      })
      const field = (name: string): string => {
        const value = new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1]
        if (!value) throw new Error(`MinIO gave no ${name}: ${text}`)
        return value
      }
      return {
        accessKeyId: field('AccessKeyId'),
        secretAccessKey: field('SecretAccessKey'),
        sessionToken: field('SessionToken'),
      }
    },
    async close(): Promise<void> {
      child.kill()
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
