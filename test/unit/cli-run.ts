import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyTally, summarize } from '../../src/batch/reports/summary'
import { settingsFromParams } from '../../src/config'
import { startObjectStore } from '../../src/local/store/server'
import type { BatchSummary } from '../../src/schema'
import { openStore } from '../../src/storage/store'

const root = join(__dirname, '..', '..')
export const bin = join(root, 'bin', 'whisklens.js')
export const samples = join(root, 'samples')

/** A temporary folder for a test file, deleted after its tests. */
export function temporaryFolder(): { path: string } {
  const folder = { path: '' }
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'whisklens-cli-'))
  })
  afterAll(() => rm(folder.path, { recursive: true, force: true }))
  return folder
}

/** An environment without configuration of Whisklens or wsk, and not started by npm, whatever runs the tests. */
export const bareEnvironment = (home: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(WHISKLENS|WSK|npm_lifecycle)_/.test(name)),
  ),
  HOME: home,
})

/** Runs `whisklens` in a folder without configuration. @param input for stdin */
export async function run(
  folder: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  input?: string | Buffer,
) {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { ...bareEnvironment(folder), ...env },
    stdio: 'pipe',
  })
  child.stdin.end(input)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text
  })
  const [code] = await once(child, 'close')
  // The program rebuilds itself if sources were edited while tests run.
  output.stderr = output.stderr.replace(/^whisklens \S+ built: .*\n/gm, '')
  return { ...output, code: code as number | null, lines: output.stdout.split('\n').slice(0, -1) }
}

/** An object store with both buckets, and the environment to connect to it. */
export async function startStore(folder: string) {
  const credentials = { accessKeyId: 'access', secretAccessKey: 'secret' }
  const dataDir = join(folder, 's3')
  const server = await startObjectStore({ dataDir, port: 0, region: 'us-east-1', credentials })
  const store = openStore(
    settingsFromParams({
      s3Endpoint: server.endpoint,
      s3AccessKeyId: credentials.accessKeyId,
      s3SecretAccessKey: credentials.secretAccessKey,
    }),
  )
  const [images, results] = [store.bucket('images'), store.bucket('results')]
  await images.createIfMissing()
  await results.createIfMissing()
  const env: NodeJS.ProcessEnv = {
    WHISKLENS_S3_ENDPOINT: server.endpoint,
    WHISKLENS_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    WHISKLENS_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  return { images, results, env, close: () => server.close() }
}

/** The summary of a complete batch of three images. @param standing overrides */
export const summaryOf = (batch: string, standing: Partial<BatchSummary> = {}): BatchSummary => ({
  ...summarize(emptyTally(), {
    batch,
    state: 'complete',
    listed: 3,
    planned: 3,
    skipped: 0,
    exact: true,
    startedAt: '2026-11-22T07:00:00.000Z',
    model: 'm@1',
  }),
  ...standing,
})
