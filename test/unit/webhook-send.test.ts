import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { settingsFromParams } from '../../src/config'
import { openWebhook } from '../../src/webhook/send'
import { signedHeaders } from '../../src/webhook/sign'
import { freePort } from '../helpers/installed'
import { eventually } from '../helpers/local-mode'
import { startReceiver, verified, webhookSecret } from '../helpers/receiver'
import { makeAuthority } from '../helpers/tls'
import { temporaryFolder } from './cli-run'

const folder = temporaryFolder()
const message = { id: 'msg_1', body: '{"batch":"b1"}' }

const webhookTo = (webhookUrl: string, more: object = {}) => {
  const webhook = openWebhook(settingsFromParams({ webhookUrl, webhookSecret, ...more }))
  if (!webhook) throw new Error('There is no webhook')
  return webhook
}

async function failureOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const thrown = await promise.then(
    () => undefined,
    (error) => error,
  )
  return { ...thrown, message: thrown?.message, whole: JSON.stringify([thrown?.message, thrown]) }
}

describe('a signature', () => {
  it('follows Standard Webhooks, for any body and any key of a valid length', () => {
    const key = fc.uint8Array({ minLength: 24, maxLength: 64 })
    fc.assert(
      fc.property(key, fc.string({ unit: 'binary' }), fc.boolean(), (bytes, text, hasPrefix) => {
        const base64 = Buffer.from(bytes).toString('base64')
        const body = JSON.stringify({ text })
        const signed = signedHeaders(
          { id: 'msg_1', body },
          `${hasPrefix ? 'whsec_' : ''}${base64}`,
          Date.now(),
        )
        expect(new Webhook(base64).verify(body, signed)).toEqual({ text })
        expect(() => new Webhook(base64).verify(`${body} `, signed)).toThrow('No matching signature')
      }),
    )
  })

  it('is created for each attempt: receivers refuse old ones', () => {
    const at = Date.parse('2026-11-22T08:00:00.900Z')
    expect(signedHeaders(message, webhookSecret, at)).toMatchObject({
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1795334400',
    })
    const stale = signedHeaders(message, webhookSecret, Date.now() - 10 * 60_000)
    expect(() => new Webhook(webhookSecret).verify(message.body, stale)).toThrow('too old')
  })
})

describe('a message', () => {
  it('is posted with its signature', async () => {
    const receiver = await startReceiver()
    await webhookTo(receiver.url).send(message, Date.now())
    expect(receiver.received).toMatchObject([
      { headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' }, body: message.body },
    ])
    expect(receiver.received.map((one) => verified(one))).toEqual([{ batch: 'b1' }])
    await receiver.close()
  })

  it.each([300, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503])(
    'is not delivered if the receiver answers with %d, and redirects are not followed',
    async (status) => {
      const receiver = await startReceiver([status])
      const failure = await failureOf(webhookTo(receiver.url).send(message, Date.now()))
      expect(failure).toMatchObject({ code: 'webhook_failed', retryable: true })
      expect(failure.message).toContain(`answered with status ${status}`)
      expect(receiver.received).toHaveLength(1)
      await receiver.close()
    },
  )

  it('that fails is reported without the URL’s path, its query, and the secret', async () => {
    const receiver = await startReceiver([500])
    const url = `${receiver.url}?token=as-secret`
    const refused = await failureOf(webhookTo(url).send(message, Date.now()))
    await receiver.close()
    const unreached = await failureOf(webhookTo(url).send(message, Date.now()))
    for (const { whole } of [refused, unreached]) {
      expect(whole).toContain(new URL(url).origin)
      expect(whole).not.toMatch(/path-as-a-key|as-secret|whsec|dGhlIHNlY3JldC/)
    }
    expect(unreached.code).toBe('webhook_failed')
  })

  it('goes over https to receivers trusted by the deployment’s authorities, and to no others', async () => {
    const authority = await makeAuthority()
    const receiver = await startReceiver([], await authority.issue())
    const untrusted = await failureOf(webhookTo(receiver.url).send(message, Date.now()))
    expect(untrusted.code).toBe('webhook_failed')
    expect(receiver.received).toHaveLength(0)
    await webhookTo(receiver.url, { ca: authority.ca }).send(message, Date.now())
    expect(receiver.received.map((one) => verified(one))).toEqual([{ batch: 'b1' }])
    await receiver.close()
  })
})

describe('the settings of a webhook', () => {
  const webhookUrl = 'https://example.com/hooks'

  it('are an https or loopback URL, and a secret', () => {
    for (const url of [
      webhookUrl,
      'http://127.0.0.1:8080/x',
      'http://localhost/',
      'http://[::1]:1/',
      'http://127.9.9.9',
    ])
      expect(openWebhook(settingsFromParams({ webhookUrl: url, webhookSecret }))).toBeDefined()
    expect(openWebhook(settingsFromParams({}))).toBeUndefined()
  })

  it.each([
    'http://example.com/path-as-a-key',
    'http://10.0.0.1/path-as-a-key',
    'http://127.0.0.1.example.com/path-as-a-key',
    'http://localhost.example.com/path-as-a-key',
    'http://[::2]/path-as-a-key',
    'ftp://127.0.0.1/path-as-a-key',
    'file:///path-as-a-key',
    'path-as-a-key',
  ])('refuse the URL %s, without repeating it', (url) => {
    expect(() => settingsFromParams({ webhookUrl: url, webhookSecret })).toThrow(/expected an https URL/)
    expect(() => settingsFromParams({ webhookUrl: url, webhookSecret })).not.toThrow(/path-as-a-key/)
  })

  it.each([
    'short',
    'whsec_c2hvcnQ=',
    'no base64, though it is long enough for a key',
    `${'QUFB'.repeat(22)}`,
  ])('refuse the secret %s, without repeating it', (secret) => {
    expect(() => settingsFromParams({ webhookUrl, webhookSecret: secret })).toThrow(/24 to 64 random bytes/)
    expect(() => settingsFromParams({ webhookUrl, webhookSecret: secret })).not.toThrow(secret)
  })

  it('refuse a URL without a secret', () => {
    expect(() => settingsFromParams({ webhookUrl })).toThrow('without WHISKLENS_WEBHOOK_SECRET')
  })
})

it('The receiver in the documentation accepts each genuine message once', async () => {
  const page = await readFile(join(__dirname, '..', '..', 'docs', 'webhook.md'), 'utf8')
  const [, code = ''] = /```js\n(.*?)```/s.exec(page) ?? []
  const file = join(folder.path, 'receiver.mjs')
  await writeFile(file, code)
  const port = await freePort()
  const env = { ...process.env, WHISKLENS_WEBHOOK_SECRET: webhookSecret, PORT: String(port) }
  const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  const url = `http://127.0.0.1:${port}/`
  await eventually(
    () =>
      fetch(url).then(
        () => true,
        () => false,
      ),
    'the receiver',
  )
  const body = JSON.stringify({ batch: 'b1', state: 'complete' })
  const webhook = webhookTo(url)
  await webhook.send({ id: 'msg_1', body }, Date.now())
  await webhook.send({ id: 'msg_1', body }, Date.now())
  await webhook.send({ id: 'msg_2', body: body.replace('b1', 'b2') }, Date.now())
  const other = webhookTo(url, { webhookSecret: 'A'.repeat(44) })
  const refused = [
    other.send({ id: 'msg_3', body }, Date.now()),
    webhook.send({ id: 'msg_3', body }, Date.now() - 6 * 60_000),
  ]
  for (const sent of refused) expect((await failureOf(sent)).message).toContain('status 401')
  child.kill()
  await once(child, 'close')
  expect(printed).toBe('b1 complete\nb2 complete\n')
})
