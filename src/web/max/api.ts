import { classifyImage, recordLabels } from '../../classifier/classify'
import type { LoadedModel } from '../../classifier/load'
import { errorCodes } from '../../error-codes'
import { ImageError } from '../../errors'
import type { ModelClass, ModelDescription } from '../../model-folder/description'
import { json, methodOf, type WebRequest, type WebResponse } from '../../openwhisk/web'
import { familyOf } from './families'
import type { Family, MaxLabel } from './family'
import { readForm } from './form'
import { tryItPage } from './page'
import { swagger } from './swagger'

/*
 * Prediction API of IBM's Model Asset eXchange (MAX): its clients only have to change the URL.
 */

/** An error in the format of MAX. */
export const failure = (statusCode: number, message: string): WebResponse =>
  json(statusCode, { status: 'error', message })

const invalidImage = ({ code, message }: ImageError): WebResponse =>
  failure(errorCodes[code].status, `The provided input is not a valid image (${message}).`)

type Answer = () => WebResponse | Promise<WebResponse>

/**
 * Handles a request of a web action, raw or not. A POST to the bare URL is a prediction, too.
 * @param max name of the MAX model to stand in for; default: the first one for the model's task
 */
export async function answer(request: WebRequest, model: LoadedModel, max?: string): Promise<WebResponse> {
  const family = familyOf(model.folder.description.task, max)
  const path = request.__ow_path.replace(/\/$/, '')
  const answers = answersAt(path, request, model, family)
  const allowed = Object.keys(answers)
  if (allowed.length === 0) return failure(404, `There is no resource ${path || '/'}`)
  const found = answers[methodOf(request)]
  if (found) return found()
  const names = allowed.map((name) => name.toUpperCase())
  if (allowed.includes('get')) names.push('HEAD')
  const refused = failure(
    405,
    `${request.__ow_method.toUpperCase()} is not supported for ${path || '/'}, only ${names.join(', ')}`,
  )
  return { ...refused, headers: { ...refused.headers, allow: names.join(', ') } }
}

/** Handlers of a path, by method. */
function answersAt(
  path: string,
  request: WebRequest,
  model: LoadedModel,
  family: Family,
): Record<string, Answer> {
  const { classes, description } = model.folder
  const post = () => predict(request, model, family)
  switch (path) {
    case '':
      return { get: () => tryItPage(description), post }
    case '/model/predict':
      return { post }
    case '/model/metadata':
      return { get: () => json(200, metadataOf(description, family)) }
    case '/swagger.json':
      return { get: () => json(200, swagger(description, family)) }
    case '/model/labels': {
      const labels = labelsOf(classes)
      return family.hasLabels ? { get: () => json(200, { count: labels.length, labels }) } : {}
    }
    default:
      return {}
  }
}

const metadataOf = ({ id, description, source, license }: ModelDescription, { type }: Family) => ({
  id,
  name: id,
  description,
  type,
  source,
  license,
})

const labelsOf = (classes: ModelClass[]): MaxLabel[] =>
  classes.map(({ wordnetId, id, className }, index) => ({
    id: wordnetId ?? id ?? String(index),
    name: className.split(', ')[0] ?? className,
  }))

async function predict(request: WebRequest, model: LoadedModel, family: Family): Promise<WebResponse> {
  const form = await readForm(request)
  if (!form) return failure(400, 'Expected multipart/form-data with the image in the file field "image"')
  const { defaultThreshold } = family
  const threshold = defaultThreshold && Number(form.threshold?.trim() || defaultThreshold)
  if (threshold !== undefined && !(threshold >= 0 && threshold <= 1)) {
    return failure(400, 'Expected a threshold from 0 to 1')
  }
  try {
    const findings = await classifyImage(model, form.image, recordLabels, { threshold })
    const predictions = family.predictions(findings, labelsOf(model.folder.classes))
    return json(200, { status: 'ok', predictions })
  } catch (thrown) {
    if (thrown instanceof ImageError) return invalidImage(thrown)
    throw thrown
  }
}
