import type { Dict } from 'openwhisk'
import sharp, { type Sharp } from 'sharp'
import { pngClaiming, sample } from '../helpers/images'
import { type Reached, ways } from '../helpers/max-ways'

/* Behaviour that clients of any MAX image rely on, according to MAX's documentation alone. */

export interface MaxModel {
  /** Image name. */
  name: string
  /** Type in the metadata. */
  type: string
  /** Models folder. */
  models(): string
  /** Number of labels; undefined without labels. */
  labels: number | undefined
  /** An image with a prediction. */
  image(): Promise<Buffer>
  /** Whether the prediction depends on colour. */
  needsColour: boolean
  /** First prediction for `image`. */
  first: object
}

/** `curl -F image=@file`. */
export function formOf(image: Uint8Array, type = 'image/jpeg', field = 'image'): RequestInit {
  const form = new FormData()
  form.append(field, new Blob([Uint8Array.from(image)], { type }), 'photo.jpg')
  return { method: 'POST', body: form }
}

/** Registers the cases, and additional ones, for each way to reach an image. */
export function maxCases(model: MaxModel, more: (reached: () => Reached) => void): void {
  describe.each(ways)(`${model.name}: %s`, (_, start) => {
    let reached: Reached
    beforeAll(async () => {
      reached = await start(model.name, model.models())
    })
    afterAll(() => reached?.stop())

    const post = (init: RequestInit, path = '/model/predict') => reached.ask(path, init)
    const refusal = async (init: RequestInit) => {
      const response = await post(init)
      const text = await response.text()
      expect(text).not.toMatch(/\n|\.[jt]s\b|at \S+:\d/)
      return { status: response.status, body: JSON.parse(text) }
    }
    const expectFirst = async (image: Sharp, type: string) => {
      const response = await post(formOf(await image.toBuffer(), type))
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      const answer = (await response.json()) as { status: string; predictions: object[] }
      expect(Object.keys(answer)).toEqual(['status', 'predictions'])
      expect(answer.status).toBe('ok')
      expect(answer.predictions[0]).toStrictEqual(model.first)
    }

    it('predicts on a JPEG', async () => {
      await expectFirst(sharp(await model.image()).jpeg({ quality: 95 }), 'image/jpeg')
    })

    it('predicts on a PNG: RGBA, palette, and without a file name', async () => {
      const image = sharp(await model.image())
      await expectFirst(image.clone().ensureAlpha(0.99).png(), 'image/png')
      await expectFirst(image.clone().png({ palette: true }), 'image/png')
      await expectFirst(image.clone().png(), 'application/octet-stream')
    })

    it('accepts a grey PNG', async () => {
      const grey = await sharp(await model.image())
        .toColourspace('b-w')
        .png()
        .toBuffer()
      const response = await post(formOf(grey, 'image/png'))
      expect(response.status).toBe(200)
      const { predictions } = (await response.json()) as { predictions: object[] }
      if (!model.needsColour) expect(predictions[0]).toStrictEqual(model.first)
    })

    it('predicts at the bare URL, too', async () => {
      const response = await post(formOf(await model.image()), '')
      expect(response.status).toBe(200)
      expect(((await response.json()) as { predictions: object[] }).predictions[0]).toStrictEqual(model.first)
    })

    it.each([
      ['text', Buffer.from('this is no photo')],
      ['an empty file', Buffer.alloc(0)],
      ['half a photo', sample('cat').subarray(0, 20_000)],
      ['a PNG that claims 60,000×60,000', pngClaiming(60_000, 60_000)],
    ])('answers 400 to %s, in MAX’s words', async (_, bytes) => {
      const { status, body } = await refusal(formOf(bytes))
      expect(status).toBe(400)
      expect(Object.keys(body)).toEqual(['status', 'message'])
      expect(body.status).toBe('error')
      expect(body.message).toContain('The provided input is not a valid image')
    })

    it('answers 400 without the field', async () => {
      for (const init of [formOf(sample('cat'), 'image/jpeg', 'photo'), { method: 'POST' }]) {
        const { status, body } = await refusal(init)
        expect(status).toBe(400)
        expect(body).toEqual({ status: 'error', message: expect.stringContaining('image') })
      }
    })

    it('describes the model', async () => {
      const response = await reached.ask('/model/metadata')
      expect(response.status).toBe(200)
      const metadata = (await response.json()) as Record<string, string>
      expect(Object.keys(metadata)).toEqual(['id', 'name', 'description', 'type', 'source', 'license'])
      for (const value of Object.values(metadata)) expect(value).toMatch(/\w/)
      expect(metadata.type).toBe(model.type)
    })

    it('lists its labels', async () => {
      const response = await reached.ask('/model/labels')
      expect(response.status).toBe(model.labels === undefined ? 404 : 200)
      if (model.labels === undefined) return
      const { count, labels } = (await response.json()) as { count: number; labels: object[] }
      expect({ count, length: labels.length }).toEqual({ count: model.labels, length: model.labels })
      for (const label of labels) {
        expect(label).toStrictEqual({ id: expect.stringMatching(/\w/), name: expect.stringMatching(/\w/) })
      }
    })

    it('describes its API in Swagger 2.0, with the fields of its answers', async () => {
      const response = await reached.ask('/swagger.json')
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      const { swagger, info, paths } = (await response.json()) as Dict
      expect(swagger).toBe('2.0')
      for (const field of ['title', 'version', 'description']) expect(info[field]).toMatch(/\w/)
      const { parameters, responses, consumes } = paths['/model/predict'].post
      expect(consumes).toEqual(['multipart/form-data'])
      expect(parameters[0]).toMatchObject({ name: 'image', in: 'formData', type: 'file', required: true })
      const { properties } = responses[200].schema.properties.predictions.items
      expect(Object.keys(properties)).toEqual(Object.keys(model.first))
      expect('/model/labels' in paths).toBe(model.labels !== undefined)
    })

    it('has a page to try it', async () => {
      const response = await reached.ask('/', { headers: { accept: 'text/html' } })
      expect(response.headers.get('content-type')).toMatch(/^text\/html/)
      expect(await response.text()).toContain('<input type="file"')
    })

    it('answers 404 to other paths', async () => {
      for (const path of ['/etc/passwd', '/model']) {
        const response = await reached.ask(path)
        expect(response.status).toBe(404)
        expect(await response.json()).toMatchObject({ status: 'error' })
      }
    })

    it('answers 405 to other methods, with those allowed', async () => {
      for (const [method, path, allow] of [
        ['GET', '/model/predict', 'POST'],
        ['PUT', '/model/predict', 'POST'],
        ['DELETE', '/model/metadata', 'GET, HEAD'],
      ] as const) {
        const response = await reached.ask(path, { method })
        expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
        expect(await response.json()).toMatchObject({ status: 'error' })
      }
    })

    it('answers HEAD like GET, without the body', async () => {
      for (const path of ['/', '/model/metadata', '/swagger.json']) {
        const [head, get] = [await reached.ask(path, { method: 'HEAD' }), await reached.ask(path)]
        expect([head.status, head.headers.get('content-type')]).toEqual([
          200,
          get.headers.get('content-type'),
        ])
        expect(await head.text()).toBe('')
        await get.body?.cancel()
      }
    })

    more(() => reached)
  })
}
