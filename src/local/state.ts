import { randomBytes, randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { ConnectionFile } from '../local-connection'

/*
 * Files of the local mode besides store and entities: its generated secrets and, while it runs, the connection. Both are readable
 * by the owner only.
 */

const secretsSchema = z.strictObject({
  auth: z.string(),
  /** Access key of the store's owner, for commands. */
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  /** Access key of the actions, limited by their policy. */
  actionsAccessKeyId: z.string(),
  actionsSecretAccessKey: z.string(),
  eventsToken: z.string(),
  resultsToken: z.string(),
  /** For changes through the gallery of the local mode: uploads, batches. */
  ownerSecret: z.string(),
})
export type Secrets = z.infer<typeof secretsSchema>

const ownerOnly = { mode: 0o600 }

const newKeyId = (): string => `WL${randomBytes(9).toString('hex').toUpperCase()}`
const newSecretKey = (): string => randomBytes(30).toString('base64url')

/** Reads the secrets of a data folder; generates them on first use. */
export async function readSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, 'secrets.json')
  await mkdir(dataDir, { recursive: true })
  // Also for an existing folder: it holds secrets.
  await chmod(dataDir, 0o700)
  try {
    return secretsSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
  }
  const secrets: Secrets = {
    auth: `${randomUUID()}:${randomBytes(32).toString('hex')}`,
    accessKeyId: newKeyId(),
    secretAccessKey: newSecretKey(),
    actionsAccessKeyId: newKeyId(),
    actionsSecretAccessKey: newSecretKey(),
    eventsToken: randomBytes(24).toString('base64url'),
    resultsToken: randomBytes(24).toString('base64url'),
    ownerSecret: randomBytes(32).toString('base64url'),
  }
  await writeFile(path, JSON.stringify(secrets, null, 2), ownerOnly)
  return secrets
}

const connectionPath = (dataDir: string): string => join(dataDir, 'connection.json')

export const wskpropsPath = (dataDir: string): string => join(dataDir, 'wskprops')

export async function writeConnection(dataDir: string, connection: ConnectionFile): Promise<void> {
  const { apiHost, auth, namespace, wskprops } = connection
  await writeFile(wskprops, `APIHOST=${apiHost}\nAUTH=${auth}\nNAMESPACE=${namespace}\n`, ownerOnly)
  await writeFile(connectionPath(dataDir), JSON.stringify(connection), ownerOnly)
}

export const removeConnection = (dataDir: string): Promise<void> =>
  rm(connectionPath(dataDir), { force: true })
