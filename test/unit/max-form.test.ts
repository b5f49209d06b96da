import fc from 'fast-check'
import { readForm } from '../../src/web/max/form'

const request = (body: Buffer, type: string, more: object = {}) => ({
  __ow_method: 'post',
  __ow_path: '',
  __ow_headers: { 'content-type': type },
  __ow_query: '',
  __ow_body: body.toString('base64'),
  ...more,
})

const part = (boundary: string, disposition: string, content: Uint8Array | string): Buffer =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])

const formOf = (boundary: string, image: Uint8Array, ...fields: [name: string, value: string][]): Buffer =>
  Buffer.concat([
    ...fields.map(([name, value]) => part(boundary, `name="${name}"`, value)),
    part(boundary, 'name="image"; filename="a.jpg"', image),
    Buffer.from(`--${boundary}--\r\n`),
  ])

const boundaries = fc.stringMatching(/^[0-9A-Za-z'()+_,./:=?-]{1,70}$/)

describe('the form of a request', () => {
  it('is read whatever its boundary and its bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(boundaries, fc.uint8Array({ maxLength: 2000 }), async (boundary, image) => {
        const isInside = Buffer.from(image).includes(`\r\n--${boundary}`)
        const type = `multipart/form-data; charset=utf-8; boundary="${boundary}"`
        const form = await readForm(request(formOf(boundary, image), type))
        expect(isInside || Buffer.from(form?.image ?? []).equals(image)).toBe(true)
      }),
    )
  })

  it('may hold the boundary inside the image, as long as no line begins with it', async () => {
    const image = Buffer.from('\xff\xd8--b\r\n -- b\n--b--b')
    const form = await readForm(request(formOf('b', image), 'Multipart/Form-Data;boundary=b'))
    expect(form?.image).toEqual(new Uint8Array(image))
  })

  it('has the threshold of the query, else of the form', async () => {
    const thresholdOf = async (more: object, ...fields: [string, string][]) =>
      (await readForm(request(formOf('b', Buffer.of(1), ...fields), 'multipart/form-data; boundary=b', more)))
        ?.threshold
    expect(await thresholdOf({})).toBeUndefined()
    expect(await thresholdOf({}, ['threshold', '0.4'])).toBe('0.4')
    expect(await thresholdOf({ __ow_query: 'a=b&threshold=0.3' }, ['threshold', '0.4'])).toBe('0.3')
    // Where the web action is not raw, the query's fields are parameters.
    expect(await thresholdOf({ __ow_query: undefined, threshold: '0.2' }, ['threshold', '0.4'])).toBe('0.2')
  })

  it.each([
    ['no boundary', 'multipart/form-data'],
    ['another boundary', 'multipart/form-data; boundary=c'],
    ['another type', 'text/plain; boundary=b'],
  ])('is none with %s', async (_, type) => {
    expect(await readForm(request(formOf('b', Buffer.of(1)), type))).toBeUndefined()
  })
})
