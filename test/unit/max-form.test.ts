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
  it('is parsed for any boundary and bytes', async () => {
    await fc.assert(
      fc.asyncProperty(boundaries, fc.uint8Array({ maxLength: 2000 }), async (boundary, image) => {
        const isInside = Buffer.from(image).includes(`\r\n--${boundary}`)
        const type = `multipart/form-data; charset=utf-8; boundary="${boundary}"`
        const form = await readForm(request(formOf(boundary, image), type))
        expect(isInside || Buffer.from(form?.image ?? []).equals(image)).toBe(true)
      }),
    )
  })

  it('may contain the boundary in the image, unless at the start of a line', async () => {
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
    // If the web action is not raw, query fields arrive as parameters.
    expect(await thresholdOf({ __ow_query: undefined, threshold: '0.2' }, ['threshold', '0.4'])).toBe('0.2')
  })

  it.each([
    ['no boundary', 'multipart/form-data'],
    ['another boundary', 'multipart/form-data; boundary=c'],
    ['another type', 'text/plain; boundary=b'],
  ])('is undefined with %s', async (_, type) => {
    expect(await readForm(request(formOf('b', Buffer.of(1)), type))).toBeUndefined()
  })
})

describe('a form allowed by the standard, Flask or busboy', () => {
  const type = 'multipart/form-data; boundary=b'
  const image = Buffer.from('\xff\xd8\r\n\n--b \r\xff\xd9', 'latin1')
  const form = (lineEnd: string, lines: (string | Buffer)[]) =>
    Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from(lineEnd)]))
  const disposition = 'Content-Disposition: form-data; name="image"; filename="a.jpg"'
  const expectImage = async (body: Buffer) =>
    expect(Buffer.from((await readForm(request(body, type)))?.image ?? [])).toEqual(image)

  it.each([
    ['an unquoted name', 'Content-Disposition: form-data; name=image; filename=a.jpg'],
    ['a name behind the file name', 'Content-Disposition: form-data; filename="a; name=b.jpg"; name="image"'],
    [
      'an encoded file name',
      'Content-Disposition: form-data; name="image"; filename*=UTF-8\'\'na%C3%AFve.jpg',
    ],
    ['both file names', `${disposition}; filename*=UTF-8''na%C3%AFve.jpg`],
    ['an encoded name', "Content-Disposition: form-data; name*=UTF-8''image; filename=a.jpg"],
    ['quotes in the file name', 'Content-Disposition: form-data; name="image"; filename="a\\".jpg"'],
    ['a file name in UTF-8', 'Content-Disposition: form-data; name="image"; filename="é😀.jpg"'],
    ['a type and no file name', 'Content-Type: image/png\r\nContent-Disposition: form-data; name=image'],
    ['lower case and no spaces', 'content-disposition:form-data;name="image";filename="a.jpg"'],
    ['upper case', 'CONTENT-DISPOSITION: FORM-DATA; NAME="image"; FILENAME="a.jpg"'],
    ['a folded header', 'Content-Disposition: form-data;\r\n name="image";\r\n\tfilename="a.jpg"'],
    ['a type', `${disposition}\r\nContent-Type: image/jpeg`],
    ['a type before its name', `Content-Type: application/octet-stream\r\n${disposition}`],
    ['a text type', `${disposition}\r\nContent-Type: text/plain; charset=utf-8`],
  ])('has its image, with %s', async (_, header) => {
    await expectImage(form('\r\n', ['--b', header, '', image, '--b--']))
  })

  it.each([
    ['a preamble', ['This is for old clients.', '--b', disposition, '', image, '--b--']],
    ['an epilogue', ['--b', disposition, '', image, '--b--', 'The end.']],
    ['spaces behind the boundary', ['--b  ', disposition, '', image, '--b--\t']],
    ['other fields around it', fields('x', '', 'image2')],
    ['another image behind it', ['--b', disposition, '', image, '--b', disposition, '', 'second', '--b--']],
  ])('has its image, with %s', async (_, lines) => {
    await expectImage(form('\r\n', lines))
    await expectImage(form('\r\n', lines).subarray(0, -2))
  })

  function fields(...names: string[]): (string | Buffer)[] {
    const parts = names.flatMap((name) => ['--b', `Content-Disposition: form-data; name="${name}"`, '', name])
    return [...parts, '--b', disposition, '', image, ...parts, '--b--']
  }

  it.each([
    ['LF', '\n'],
    ['CR', '\r'],
  ])('has its image, with line ends of %s', async (_, lineEnd) => {
    const bytes = Buffer.from('\xff\xd8\r\n--b--\r\n \xff\r\n', 'latin1')
    const body = form(lineEnd, ['before', '--b', disposition, 'Content-Type: image/jpeg', '', bytes, '--b--'])
    const { image: found } = (await readForm(request(body, type))) ?? {}
    expect(Buffer.from(found ?? [])).toEqual(bytes)
  })

  it('has no image if that is not a file', async () => {
    const body = form('\r\n', ['--b', 'Content-Disposition: form-data; name="image"', '', 'cat.jpg', '--b--'])
    expect(await readForm(request(body, type))).toBeUndefined()
  })

  it('is undefined if it is truncated', async () => {
    const whole = form('\r\n', ['--b', disposition, '', image, '--b--'])
    for (let end = 1; end < whole.length - 3; end++)
      expect(await readForm(request(whole.subarray(0, end), type))).toBeUndefined()
  })

  it('has its bytes in any style', async () => {
    const pick = (...values: string[]) => fc.constantFrom(...values)
    const style = fc.record({
      lineEnd: pick('\r\n', '\n'),
      preamble: pick('', 'a', '-- b'),
      padding: pick('', ' ', '\t '),
      name: pick('name=image', 'name="image"'),
      more: pick('; filename=a.jpg', '; filename="b;name=c.jpg"', "; filename*=UTF-8''%C3%A4.jpg"),
      header: pick('Content-Disposition', 'content-disposition'),
      type: pick('', 'Content-Type: image/png', 'X-Other: 1'),
      end: pick('', 'epilogue'),
    })
    await fc.assert(
      fc.asyncProperty(style, fc.uint8Array({ maxLength: 500 }), async (style, bytes) => {
        fc.pre(!Buffer.from(bytes).includes('--b'))
        const { lineEnd, preamble, padding, header, name, more, type: typeLine, end } = style
        const lines = [
          ...(preamble ? [preamble] : []),
          `--b${padding}`,
          `${header}: form-data; ${name}${more}`,
          ...(typeLine ? [typeLine] : []),
          '',
          Buffer.from(bytes),
          `--b--${padding}`,
          ...(end ? [end] : []),
        ]
        const found = await readForm(request(form(lineEnd, lines), type))
        expect(Buffer.from(found?.image ?? [])).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 500 },
    )
  })

  it('never throws', async () => {
    const piece = fc.constantFrom('--b', '--b--', '\r\n', '\n', '\r', disposition, 'x', ':', ' ', '\0')
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        await readForm(request(Buffer.from(pieces.join('')), type))
      }),
      { numRuns: 1000 },
    )
  })
})
