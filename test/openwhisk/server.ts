import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiHostOptions, openwhiskLimits } from '../../src/local/host/server'
import * as local from '../contract/api-host'

/* The OpenWhisk under test, over HTTP only. */

export interface Server {
  /** Without a trailing slash. */
  url: string
  /** `uuid:key`. */
  auth: string
  /** Resolves early in a minute of the host's clock, when all rate limits have been reset. */
  nextMinute(): Promise<void>
  close(): Promise<void>
}

const minute = 60_000

/**
 * Opens the server in the environment, or a local host with a real server's limits.
 * @param images replaces custom images on the local host
 */
export async function openServer(images?: ApiHostOptions['images']): Promise<Server> {
  const { WHISKLENS_APIHOST: url, WHISKLENS_AUTH: auth } = process.env
  if (!url) return openLocal(images)
  if (!auth) throw new Error('WHISKLENS_APIHOST needs WHISKLENS_AUTH beside it, as uuid:key.')
  return {
    url: url.replace(/\/$/, ''),
    auth,
    // One second more, for clock skew.
    nextMinute: () => sleep(minute - (Date.now() % minute) + 1000),
    close: async () => {},
  }
}

async function openLocal(images: ApiHostOptions['images']): Promise<Server> {
  const folder = local.temporaryFolder()
  // Stopped, so that no minute ends during a test.
  let now = Date.now()
  const host = await local.startTestHost(local.buildRuntime(folder), {
    limits: openwhiskLimits,
    containersPerAction: 4,
    images,
    now: () => now,
  })
  return {
    url: host.url,
    auth: local.auth,
    async nextMinute() {
      now += minute
    },
    async close() {
      await host.close()
      rmSync(folder, { recursive: true })
    },
  }
}
