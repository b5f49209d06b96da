import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { settingsFromParams } from '../../src/config'
import { parsePolicy } from '../../src/local/store/policy'
import { openStore } from '../../src/storage/store'
import { clientOf } from '../helpers/policy-cases'
import { credentials, region, sendRaw, signHeaders, temporaryStore } from './object-store-client'

const policy = parsePolicy({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 's3:*Object', Resource: 'arn:aws:s3:::images/*' },
})
const temporary = { accessKeyId: 'temporary', secretAccessKey: 'its secret', sessionToken: 'a/token+of=it' }
const limited = { accessKeyId: 'limited', secretAccessKey: 'another secret' }

let store: Awaited<ReturnType<typeof temporaryStore>>

beforeAll(async () => {
  const users = [temporary, limited].map((user) => ({ ...user, policy }))
  store = await temporaryStore({ users })
  const owner = clientOf(store.endpoint, credentials)
  await owner.createBucket({ Bucket: 'images' }).promise()
  await owner.putObject({ Bucket: 'images', Key: 'a', Body: 'hello' }).promise()
})
afterAll(() => store.remove())

const read = async (user: object): Promise<string> => {
  try {
    const client = clientOf(store.endpoint, { region, ...user })
    const { Body } = await client.getObject({ Bucket: 'images', Key: 'a' }).promise()
    return String(Body)
  } catch (thrown) {
    const { statusCode, code } = thrown as { statusCode: number; code: string }
    return `${statusCode} ${code}`
  }
}

const readPresigned = async (user: object): Promise<string> => {
  const client = clientOf(store.endpoint, { region, ...user })
  const answer = await fetch(client.getSignedUrl('getObject', { Bucket: 'images', Key: 'a' }))
  const text = await answer.text()
  return answer.ok ? text : `${answer.status} ${/<Code>(\w+)</.exec(text)?.[1]}`
}

describe.each([
  ['headers', read],
  ['a presigned URL', readPresigned],
])('temporary credentials in %s', (_, use) => {
  it('work with their session token', async () => {
    expect(await use(temporary)).toBe('hello')
  })

  it('are unknown without it', async () => {
    expect(await use({ ...temporary, sessionToken: undefined })).toBe('403 InvalidAccessKeyId')
  })

  it('do not work with another', async () => {
    expect(await use({ ...temporary, sessionToken: 'a/token+of=it2' })).toBe('400 InvalidToken')
  })

  it('are refused with a token if they are permanent', async () => {
    expect(await use({ ...limited, sessionToken: temporary.sessionToken })).toBe('400 InvalidToken')
    expect(await use(limited)).toBe('hello')
  })

  it('cannot be mixed', async () => {
    const mixed = { ...temporary, secretAccessKey: limited.secretAccessKey }
    expect(await use(mixed)).toBe('403 SignatureDoesNotMatch')
  })
})

it('require a signed session token', async () => {
  const sent = { path: '/images/a', accessKeyId: temporary.accessKeyId, secret: temporary.secretAccessKey }
  const { headers } = signHeaders(store.endpoint, sent)
  const added = { ...headers, 'x-amz-security-token': temporary.sessionToken }
  expect(await sendRaw(store.endpoint, { ...sent, headers: added })).toMatchObject({
    status: 403,
    text: expect.stringContaining('x-amz-security-token'),
  })
})

describe('the object store of a deployment', () => {
  const open = (changes: object = {}) =>
    openStore(
      settingsFromParams({
        s3Endpoint: store.endpoint,
        s3AccessKeyId: temporary.accessKeyId,
        s3SecretAccessKey: temporary.secretAccessKey,
        s3SessionToken: temporary.sessionToken,
        ...changes,
      }),
    ).bucket('images')

  it('is reached with temporary credentials, and by URLs signed with them', async () => {
    const bucket = open()
    await bucket.put('b', 'mine')
    expect(String((await bucket.get('b')).body)).toBe('mine')
    for (const url of [bucket.presign('b', 60), bucket.presignHourly('b', 'v1').url])
      expect(await (await fetch(url)).text()).toBe('mine')
  })

  it('says what to renew when a token has expired', async () => {
    await expect(open({ s3SessionToken: 'old' }).get('a')).rejects.toMatchObject({
      code: 'access_denied',
      retryable: false,
      hint: expect.stringContaining('WHISKLENS_S3_SESSION_TOKEN'),
    })
  })

  it('is called once with an expired token', async () => {
    let asked = 0
    const server = createServer((_, answer) => {
      asked++
      answer.writeHead(400, { 'content-type': 'application/xml' })
      answer.end('<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const expired = { code: 'access_denied', hint: expect.stringContaining('WHISKLENS_S3_SESSION_TOKEN') }
    await expect(open({ s3Endpoint: `http://127.0.0.1:${port}` }).get('a')).rejects.toMatchObject(expired)
    expect(asked).toBe(1)
    server.close()
  })
})
