import * as z from 'zod'
import { version } from '../../package.json'
import { readSummary } from '../batch/reports/summary-object'
import { defaultBatchId, parseBatchRequest } from '../batch/running/request'
import { maxImageBytes } from '../image-files'
import { imageType } from '../image-formats'
import { isSameSecret } from '../same-secret'
import { batchRequestSchema } from '../schema'
import type { Bucket } from '../storage/store'
import type { FiredAnswer, LocalAnswer, UploadAnswer } from '../web/gallery/contract'
import { type Api, type ApiContext, type Host, readJson } from './host/api'
import { newActivationId } from './host/ids'
import { checkSize } from './host/limits'
import { resolveAction } from './host/parameters'
import { badRequest, notFound, unauthorized } from './host/refusals'
import { HttpError } from './http-error'

/** What the gallery of the local mode may access. */
export interface Owner {
  /** Secret for these routes only. */
  secret: string
  /** Opened with the key of the store's owner. */
  images: Bucket
  results: Bucket
}

/** Prefix of images uploaded without a folder. */
const defaultPrefix = 'photos/'

/** Limit of S3, bytes. */
const maxKeyBytes = 1024

const { prefix, model, force, include, exclude, batch } = batchRequestSchema.shape
/** Batch options offered by the page. A batch of uploads cannot be fired. */
const firingSchema = z.strictObject({ prefix, model, force, include, exclude, batch })
const idSchema = batch.unwrap()
const nothingSchema = z.strictObject({})

/** `/local`: what the gallery of the local mode can do beyond that of a cluster. */
export const ownerRoutes =
  ({ secret, images, results }: Owner) =>
  (api: Api, host: Host): void => {
    api.use('/local/*', async (c, next) => {
      c.header('Cache-Control', 'no-store')
      checkOrigin(c)
      const [, given = ''] = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '') ?? []
      if (!isSameSecret(given, secret)) throw unauthorized()
      await next()
    })

    const fire = (c: ApiContext, params: { batch: string; [name: string]: unknown }): Response => {
      const path = `${host.namespace}/batch-requested`
      host.throttle.fire()
      const id = host.fire(path, params, { transaction: c.var.transaction, headers: {} })
      if (id === undefined) throw new HttpError(409, 'conflict', 'No active rule listens to batch-requested.')
      return c.json({ batch: params.batch } satisfies FiredAnswer, 202)
    }

    /** The batch in the path. @throws HttpError 400, 404 if it does not exist */
    const existingBatch = async (c: ApiContext): Promise<string> => {
      await readJson(c, (value) => nothingSchema.parse(value))
      const { data: id } = idSchema.safeParse(c.req.param('id'))
      if (id === undefined) throw badRequest('Expected the id of a fired batch.')
      if (!(await readSummary(results, id))) throw notFound(id)
      return id
    }

    api.get('/local', (c) => {
      const what = { version, imagesBucket: images.name, prefix: defaultPrefix, maxImageBytes }
      return c.json({ ...what, limits: host.limits } satisfies LocalAnswer)
    })

    api.put('/local/images/*', async (c) => {
      const key = keyOf(c.req.path.slice('/local/images/'.length))
      checkImageSize(Number(c.req.header('content-length') ?? 0))
      await images.putStream(key, imageOf(c), imageType(key) ?? 'application/octet-stream')
      return c.json({ bucket: images.name, key } satisfies UploadAnswer, 201)
    })

    api.post('/local/batches', async (c) => {
      const request = await readJson(c, (value) => {
        const asked = firingSchema.parse(value)
        parseBatchRequest(asked)
        return asked
      })
      return fire(c, { ...request, batch: request.batch ?? defaultBatchId(Date.now(), newActivationId()) })
    })

    api.post('/local/batches/:id/retry', async (c) => fire(c, { batch: await existingBatch(c), retry: true }))

    api.post('/local/batches/:id/cancel', async (c) => {
      const id = await existingBatch(c)
      host.throttle.invocation()
      const action = resolveAction(host.entities, `${host.namespace}/whisklens/start-batch`)
      host.invoker.invoke(action, { batch: id, cancel: true }, { transaction: c.var.transaction })
      return c.json({ batch: id } satisfies FiredAnswer, 202)
    })
  }

/**
 * Accepts only requests of this host's own pages. A page of another origin has a different Origin, and one that uses DNS
 * rebinding a different Host. @throws HttpError 403
 */
function checkOrigin(c: ApiContext): void {
  const host = c.req.header('host') ?? ''
  const origin = c.req.header('origin')
  const isLoopback = /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(host)
  if (isLoopback && (origin === undefined || origin === `http://${host}`)) return
  throw new HttpError(403, 'forbidden', 'Only the gallery on this machine may use this.')
}

/** Decodes the key of an image from a path. @throws HttpError 400 */
function keyOf(path: string): string {
  const name = decode(path).replace(/\p{Cc}/gu, '_')
  const key = name.includes('/') ? name : `${defaultPrefix}${name}`
  const isPath = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (!isPath) throw badRequest('An image name must not be empty or have empty folders, . or ..')
  if (Buffer.byteLength(key) > maxKeyBytes) throw badRequest(`The key is longer than ${maxKeyBytes} bytes.`)
  return key
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw badRequest('The image name is not percent-encoded correctly.', cause)
  }
}

const checkImageSize = (size: number): void => checkSize('Image', size, maxImageBytes)

/** Streams the body of a request. @throws HttpError 413 */
async function* imageOf(c: ApiContext): AsyncIterable<Buffer> {
  let size = 0
  // The response needs the connection, so leaving the loop must not destroy it.
  for await (const piece of c.env.incoming.iterator({ destroyOnReturn: false })) {
    size += piece.length
    checkImageSize(size)
    yield piece
  }
}
