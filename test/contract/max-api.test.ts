import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { main } from '../../actions/predict'
import { modelFolderPath } from '../../src/model-folder/folder'
import type { WebResponse } from '../../src/openwhisk/web'
import { pngClaiming, sample } from '../helpers/images'
import { modelCopy, removeModelCopies } from '../helpers/model-copy'

/*
 * Behaviour that clients of MAX images rely on, tested with the parameters that the platform passes to a raw web
 * action: the method in lower case, the query string as sent, and non-text bodies in base64.
 */

interface Asked {
  path?: string
  query?: string
  headers?: Record<string, string>
  body?: Buffer
  params?: Record<string, unknown>
}

const ask = (method: string, { path = '', query = '', headers = {}, body, params = {} }: Asked = {}) =>
  main({
    ...params,
    __ow_method: method,
    __ow_headers: { accept: '*/*', host: '127.0.0.1:3233', 'user-agent': 'curl/7.88.1', ...headers },
    __ow_path: path,
    __ow_query: query,
    __ow_body: body?.toString('base64') ?? '',
  })

/** The exact bytes of `curl -F image=@file`. */
function curlForm(image: Buffer, { field = 'image', name = 'cat.jpg', type = 'image/jpeg' } = {}): Asked {
  const boundary = '------------------------d74496d66958873e'
  const disposition = `Content-Disposition: form-data; name="${field}"; filename="${name}"`
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([
      Buffer.from(`--${boundary}\r\n${disposition}\r\nContent-Type: ${type}\r\n\r\n`),
      image,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  }
}

/** A form as sent by browsers and fetch, with additional fields. */
async function browserForm(image: Buffer, more: Record<string, string> = {}): Promise<Asked> {
  const form = new FormData()
  for (const [name, value] of Object.entries(more)) form.append(name, value)
  form.append('image', new Blob([new Uint8Array(image)], { type: 'image/png' }), 'photo of a cat – ü.png')
  const encoded = new Response(form)
  const type = encoded.headers.get('content-type') ?? ''
  return { headers: { 'content-type': type }, body: Buffer.from(await encoded.arrayBuffer()) }
}

const predict = (asked: Asked) => ask('post', { path: '/model/predict', ...asked })

interface Prediction {
  label_id: string
  label: string
  probability: number
}
const predictionsOf = ({ body }: WebResponse) => (body as { predictions: Prediction[] }).predictions

afterAll(removeModelCopies)

describe('POST /model/predict', () => {
  it('classifies a JPEG: five predictions with WordNet ids, highest first', async () => {
    const response = await predict(curlForm(sample('cat')))
    expect(response).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: { status: 'ok', predictions: expect.any(Array) },
    })
    const predictions = predictionsOf(response)
    expect(predictions).toHaveLength(5)
    expect(predictions[0]).toStrictEqual({
      label_id: 'n02123159',
      label: 'tiger cat',
      probability: expect.closeTo(0.38, 1),
    })
    expect(predictions[2]).toMatchObject({ label_id: 'n02123045', label: 'tabby' })
    const probabilities = predictions.map(({ probability }) => probability)
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a))
  })

  it.each([
    ['RGBA', () => sharp(sample('coffee')).ensureAlpha(0.99).png()],
    ['grey', () => sharp(sample('coffee')).toColourspace('b-w').png()],
    ['palette', () => sharp(sample('coffee')).png({ palette: true })],
    ['16-bit', () => sharp(sample('coffee')).toColourspace('rgb16').png()],
  ])('classifies a PNG, %s', async (_, make) => {
    const response = await predict(
      curlForm(await make().toBuffer(), { name: 'coffee.png', type: 'image/png' }),
    )
    expect(response.statusCode).toBe(200)
    expect(predictionsOf(response)[0]).toMatchObject({ label_id: 'n07920052', label: 'espresso' })
  })

  it('identifies an image by content, not by name or type', async () => {
    const form = curlForm(sample('coffee'), { name: 'data.bin', type: 'application/octet-stream' })
    expect(predictionsOf(await predict(form))[0]).toMatchObject({ label: 'espresso' })
  })

  it('accepts the form of a browser, with other fields and any file name', async () => {
    const response = await predict(await browserForm(sample('coffee'), { threshold: '0.5' }))
    expect(predictionsOf(response)[0]).toMatchObject({ label: 'espresso' })
  })

  it('accepts the content type in any case and with a quoted boundary', async () => {
    const form = curlForm(sample('coffee'))
    const type = 'Multipart/Form-Data; boundary="------------------------d74496d66958873e"'
    expect((await predict({ ...form, headers: { 'content-type': type } })).statusCode).toBe(200)
  })

  it('is also at the bare URL', async () => {
    for (const path of ['', '/', '/model/predict/']) {
      const response = await ask('post', { path, ...curlForm(sample('cat')) })
      expect(predictionsOf(response)[0]).toMatchObject({ label: 'tiger cat' })
    }
  })

  it.each([
    ['text', Buffer.from('this is not a photo')],
    ['an empty file', Buffer.alloc(0)],
    ['half a photo', sample('cat').subarray(0, 20_000)],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['a PNG that claims 60,000×60,000', pngClaiming(60_000, 60_000)],
  ])('answers 400 to %s', async (_, image) => {
    const response = await predict(curlForm(image, { name: 'photo.jpg' }))
    expect(response).toMatchObject({
      statusCode: 400,
      headers: { 'content-type': 'application/json' },
      body: { status: 'error', message: expect.stringContaining('input is not a valid image') },
    })
    expect(Object.keys(response.body as object)).toEqual(['status', 'message'])
  })

  it.each<[string, Asked]>([
    ['no body', {}],
    ['a form without the field', curlForm(sample('cat'), { field: 'photo' })],
    ['a field that is no file', formOf('Content-Disposition: form-data; name="image"\r\n\r\ncat.jpg')],
    ['a form that is broken', { ...curlForm(sample('cat')), body: Buffer.from('--oops') }],
    [
      'a form without its boundary',
      { ...curlForm(sample('cat')), headers: { 'content-type': 'multipart/form-data' } },
    ],
    ['the bare photo', { headers: { 'content-type': 'image/jpeg' }, body: sample('cat') }],
    ['JSON', { headers: { 'content-type': 'application/json' }, body: Buffer.from('{"image":"cat.jpg"}') }],
  ])('answers 400 to %s, with what is expected', async (_, asked) => {
    expect(await predict(asked)).toMatchObject({
      statusCode: 400,
      body: { status: 'error', message: expect.stringContaining('file field "image"') },
    })
  })
})

function formOf(part: string): Asked {
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: Buffer.from(`--b\r\n${part}\r\n--b--\r\n`),
  }
}

describe('GET', () => {
  it('/model/metadata describes the model, as text only', async () => {
    const { statusCode, body } = await ask('get', { path: '/model/metadata' })
    expect(statusCode).toBe(200)
    expect(Object.keys(body as object)).toEqual(['id', 'name', 'description', 'type', 'source', 'license'])
    for (const value of Object.values(body as object)) expect(value).toMatch(/\w/)
    expect(body).toMatchObject({ id: 'efficientnet-lite0-int8', license: 'Apache-2.0' })
  })

  it('/model/labels lists all labels', async () => {
    const { statusCode, body } = await ask('get', { path: '/model/labels' })
    expect(statusCode).toBe(200)
    const { count, labels } = body as { count: number; labels: object[] }
    expect(count).toBe(1000)
    expect(labels).toHaveLength(1000)
    expect(labels[281]).toStrictEqual({ id: 'n02123045', name: 'tabby' })
  })

  it('/swagger.json describes the API in Swagger 2.0', async () => {
    const { statusCode, headers, body } = await ask('get', { path: '/swagger.json' })
    expect(statusCode).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect(body).toMatchObject({
      swagger: '2.0',
      info: { title: expect.any(String), version: expect.any(String), description: expect.any(String) },
      paths: {
        '/model/metadata': { get: {} },
        '/model/labels': { get: {} },
        '/model/predict': {
          post: {
            consumes: ['multipart/form-data'],
            parameters: [{ name: 'image', in: 'formData', type: 'file', required: true }],
          },
        },
      },
    })
  })

  it.each(['', '/'])(
    '"%s" is a page to try the model, which runs and loads only its own code',
    async (path) => {
      const { statusCode, headers, body } = await ask('get', { path, headers: { accept: 'text/html' } })
      expect(statusCode).toBe(200)
      expect(headers['content-type']).toMatch(/^text\/html/)
      const page = body as string
      expect(page).toContain('<h1>efficientnet-lite0-int8</h1>')
      expect(page).not.toMatch(/(src|href|action)="|https?:|\son\w+=/)
      const policy = headers['content-security-policy'] ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|\*|http/)
      for (const tag of ['script', 'style']) {
        const [, content = ''] = new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`).exec(page) ?? []
        const hash = createHash('sha256').update(content).digest('base64')
        expect(policy).toContain(`${tag}-src 'sha256-${hash}'`)
      }
    },
  )

  it('escapes what a model says about itself', async () => {
    const [id, description] = ['evil', '<script>alert("x")</script> & more']
    const model = modelCopy({
      'whisklens.json': JSON.stringify({
        ...JSON.parse(readFileSync(join(modelFolderPath('efficientnet-lite0'), 'whisklens.json'), 'utf8')),
        id,
        description,
      }),
    })
    const { body } = await ask('get', { params: { defaultModel: model } })
    expect(body).not.toContain(description)
    expect(body).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more')
  })
})

describe('other requests', () => {
  it.each([
    ['get', '/etc/passwd'],
    ['post', '/model'],
    ['head', '/model/predictions'],
  ])('%s %s is 404 in the same format', async (method, path) => {
    expect(await ask(method, { path })).toMatchObject({
      statusCode: 404,
      body: { status: 'error', message: expect.stringContaining(path) },
    })
  })

  it.each([
    ['get', '/model/predict', 'POST'],
    ['head', '/model/predict', 'POST'],
    ['put', '/model/predict', 'POST'],
    ['delete', '', 'GET, POST, HEAD'],
    ['patch', '/', 'GET, POST, HEAD'],
    ['post', '/model/labels', 'GET, HEAD'],
    ['put', '/model/metadata', 'GET, HEAD'],
    ['delete', '/swagger.json', 'GET, HEAD'],
  ])('%s %s is 405, allowing %s', async (method, path, allow) => {
    expect(await ask(method, { path })).toMatchObject({
      statusCode: 405,
      headers: { allow },
      body: { status: 'error', message: expect.stringContaining(method.toUpperCase()) },
    })
  })

  it.each(['', '/', '/model/metadata', '/model/labels', '/swagger.json'])(
    'HEAD of %j answers like GET: the platform drops the body',
    async (path) => {
      expect(await ask('head', { path })).toEqual(await ask('get', { path }))
    },
  )

  it('leaves CORS to the platform, which adds its headers to every web action', async () => {
    for (const response of [await ask('get'), await predict(curlForm(sample('cat')))]) {
      const names = Object.keys(response.headers).map((name) => name.toLowerCase())
      expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  it('a missing model is 500 without a stack trace', async () => {
    const response = await ask('get', { path: '/model/metadata', params: { defaultModel: 'resnet-9000' } })
    expect(response).toMatchObject({
      statusCode: 500,
      body: { status: 'error', message: expect.stringContaining('resnet-9000') },
    })
    expect(JSON.stringify(response)).not.toMatch(/\.ts|\.js|at /)
  })
})

describe('a web action that is not raw', () => {
  const asked = { __ow_method: 'get', __ow_headers: {}, __ow_path: '/model/metadata' }
  const environment = ['WHISKLENS_MODEL', 'WHISKLENS_RESULTS_TOKEN']
  afterEach(() => {
    for (const name of environment) delete process.env[name]
  })

  it('uses the model of its container, whatever the query says', async () => {
    expect(await main({ ...asked, defaultModel: '/etc', engine: 'none' })).toMatchObject({
      statusCode: 200,
      body: { id: 'efficientnet-lite0-int8' },
    })
    process.env.WHISKLENS_MODEL = 'resnet-9000'
    expect(await main({ ...asked, defaultModel: 'efficientnet-lite0' })).toMatchObject({
      statusCode: 500,
      body: { message: expect.stringContaining('resnet-9000') },
    })
  })

  it('uses the token of its parameters or of its container', async () => {
    const statusOf = async (params: object) => (await main({ ...asked, ...params })).statusCode
    expect(await statusOf({ resultsToken: 'open sesame' })).toBe(401)
    expect(await statusOf({ resultsToken: 'open sesame', token: 'open sesame' })).toBe(200)
    process.env.WHISKLENS_RESULTS_TOKEN = 'open barley'
    expect(await statusOf({ token: 'open sesame' })).toBe(401)
    expect(await statusOf({ token: 'open barley' })).toBe(200)
  })
})

describe('a token', () => {
  const params = { resultsToken: 'open sesame' }
  const path = '/model/metadata'

  it('is optional', async () => {
    for (const unset of ['', '$WHISKLENS_RESULTS_TOKEN']) {
      expect((await ask('get', { path, params: { resultsToken: unset } })).statusCode).toBe(200)
    }
  })

  it('protects every path once it is set', async () => {
    for (const [method, asked] of [
      ['get', {}],
      ['get', { path }],
      ['get', { path: '/swagger.json' }],
      ['post', curlForm(sample('cat'))],
    ] as [string, Asked][]) {
      expect(await ask(method, { ...asked, params })).toMatchObject({
        statusCode: 401,
        body: { status: 'error', message: expect.stringContaining('token') },
      })
    }
  })

  it.each<[string, Asked]>([
    ['as a bearer token', { headers: { authorization: 'Bearer open sesame' } }],
    ['by itself', { headers: { authorization: 'open sesame' } }],
    ['in the query', { query: 'a=b&token=open+sesame' }],
  ])('is accepted %s', async (_, asked) => {
    expect((await ask('get', { path, params, ...asked })).statusCode).toBe(200)
  })

  it.each<[string, Asked]>([
    ['another one', { headers: { authorization: 'Bearer open barley' } }],
    ['an empty one', { query: 'token=' }],
    ['a part of it', { query: 'token=open' }],
    ['one in the form', formOf('Content-Disposition: form-data; name="token"\r\n\r\nopen sesame')],
  ])('is refused if it is %s', async (_, asked) => {
    expect((await ask('get', { path, params, ...asked })).statusCode).toBe(401)
  })
})
