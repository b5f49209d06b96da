import { classifyImage } from '../classifier/classify'
import type { LoadedModel } from '../classifier/load'
import { ImageError } from '../errors'
import { json, type WebRequest, type WebResponse } from '../openwhisk/web'
import { tryItPage } from './max-page'
import { swagger } from './max-swagger'

/*
 * The prediction API of IBM's Model Asset eXchange: its clients only change the URL.
 */

/** An error in MAX's words. */
export const failure = (statusCode: number, message: string): WebResponse =>
  json(statusCode, { status: 'error', message })

const invalidImage = (detail: string): WebResponse =>
  failure(400, `The provided input is not a valid image (${detail}).`)

/** Answers one request of a raw web action; a POST to the bare URL is a prediction, too. */
export async function answer(request: WebRequest, model: LoadedModel): Promise<WebResponse> {
  const { classes, description } = model.folder
  const path = request.__ow_path.replace(/\/$/, '')
  switch (`${request.__ow_method} ${path}`) {
    case 'get ':
      return tryItPage(description)
    case 'get /model/metadata':
      return json(200, {
        id: description.id,
        name: description.id,
        description: description.description,
        type: 'Image Classification',
        source: description.source,
        license: description.license,
      })
    case 'get /model/labels':
      return json(200, {
        count: classes.length,
        labels: classes.map(({ wordnetId, className }) => ({ id: wordnetId, name: firstName(className) })),
      })
    case 'get /swagger.json':
      return json(200, swagger(description))
    case 'post /model/predict':
    case 'post ':
      return predict(request, model)
    default:
      return failure(404, `There is no ${request.__ow_method.toUpperCase()} ${path || '/'} here`)
  }
}

const firstName = (className: string): string => className.split(', ')[0] ?? className

async function predict(request: WebRequest, model: LoadedModel): Promise<WebResponse> {
  const image = await uploadedImage(request)
  if (!image) return failure(400, 'Expected multipart/form-data with the image in the file field "image"')
  try {
    const { labels } = await classifyImage(model, image)
    return json(200, {
      status: 'ok',
      predictions: labels.map(({ wordnetId, label, probability }) => ({
        label_id: wordnetId,
        label,
        probability,
      })),
    })
  } catch (thrown) {
    if (thrown instanceof ImageError) return invalidImage(thrown.message)
    throw thrown
  }
}

/** The form's file. Node's own Response reads multipart bodies. */
async function uploadedImage({ __ow_body, __ow_headers }: WebRequest): Promise<Uint8Array | undefined> {
  const type = __ow_headers['content-type'] ?? ''
  if (!__ow_body || !/^multipart\/form-data\b/i.test(type)) return undefined
  try {
    const form = await new Response(Buffer.from(__ow_body, 'base64'), {
      headers: { 'content-type': type },
    }).formData()
    const field = form.get('image')
    return field instanceof Blob ? new Uint8Array(await field.arrayBuffer()) : undefined
  } catch {
    return undefined
  }
}
