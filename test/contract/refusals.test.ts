import type { Dict } from 'openwhisk'
import { packageInputs } from '../../src/config'
import { readSecrets, type Secrets } from '../../src/local/state'
import { type Clients, clientsOf } from '../helpers/clients'
import { sample } from '../helpers/images'
import {
  eventually,
  newDataDir,
  type RunningLocal,
  removeDataDir,
  startLocalMode,
} from '../helpers/local-mode'

/*
 * Unauthorized access over HTTP, against the running system. object-store-cases.ts covers the store's refusals,
 * openwhisk-system.test.ts those of alarms.
 */

let dataDir: string
let local: RunningLocal
let clients: Clients
let secrets: Secrets

const image = 'private/coffee.jpg'

beforeAll(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir)
  clients = clientsOf(local.connection)
  secrets = await readSecrets(dataDir)
  await clients.upload(image, sample('coffee'))
  await eventually(async () => (await clients.keys('batches/uploads-')).some(isSummary), 'something to hide')
})
afterAll(async () => {
  await local.stop()
  await removeDataDir(dataDir)
})

const isSummary = (key: string): boolean => key.endsWith('/summary.json')

/** Web actions with a token; `predict` uses that of `results`. */
const guarded: [action: string, method: string, path: string, token: keyof Secrets][] = [
  ['bucket-events', 'POST', '', 'eventsToken'],
  ['results', 'GET', '', 'resultsToken'],
  ['predict', 'GET', '/model/metadata', 'resultsToken'],
]

const notificationOf = (bucket: string) =>
  JSON.stringify({
    Records: [
      { eventName: 'ObjectCreated:Put', s3: { bucket: { name: bucket }, object: { key: 'planted.jpg' } } },
    ],
  })

async function ask(
  [action, method, path]: (typeof guarded)[number],
  query = '',
  headers = {},
  notification = notificationOf('images'),
) {
  const url = `${local.connection.apiHost}/api/v1/web/guest/whisklens/${action}${path}${query}`
  const body = method === 'POST' ? notification : undefined
  const answer = await fetch(url, {
    method,
    body,
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
  })
  return { status: answer.status, text: await answer.text() }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const fires = async (): Promise<number> =>
  (await clients.ow.activations.list({ name: 'image-uploaded', limit: 200 } as never)).length

/** Texts that must not appear in a refusal. */
const hidden = () => [...Object.values(secrets), image, 'espresso', 'uploads-', 'whisklens.']

describe.each(guarded)('%s', (...target) => {
  const [action, , , tokenName] = target
  const token = () => secrets[tokenName]

  it('refuses requests without its token, all with the same message', async () => {
    const before = await fires()
    const other = action === 'bucket-events' ? secrets.resultsToken : secrets.eventsToken
    const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(key).toString('base64')}` })
    const answers = [
      await ask(target),
      await ask(target, '?token='),
      await ask(target, '?token=guess'),
      await ask(target, `?token=${other}`),
      await ask(target, `?token=${token()}x`),
      await ask(target, `?token=${token().slice(0, -1)}`),
      await ask(target, `?token[]=${token()}`),
      await ask(target, '', bearer('')),
      await ask(target, '', bearer('guess')),
      await ask(target, '', bearer(other)),
      await ask(target, '', bearer(secrets.secretAccessKey)),
      await ask(target, '', { cookie: `token=${token()}`, 'x-require-whisk-auth': token() }),
      // The header takes precedence over the query.
      await ask(target, `?token=${token()}`, bearer('guess')),
      await ask(target, '', basic('guess:guess')),
    ]
    const [first] = answers
    for (const answer of answers) expect(answer).toEqual(first)
    expect(first?.status).toBe(401)
    for (const word of hidden()) expect(first?.text).not.toContain(word)
    expect(await fires()).toBe(before)
  })

  it('cannot be given another token by the request', async () => {
    const { status, text } = await ask(target, '?token=guess&resultsToken=guess&eventsToken=guess')
    // The platform rejects overrides of an action's own parameters, except for raw actions, whose query is passed
    // separately.
    expect(status).toBe(action === 'predict' ? 401 : 400)
    for (const word of hidden()) expect(text).not.toContain(word)
  })

  it('refuses other methods, with those allowed', async () => {
    const [, method, path] = target
    const url = `${local.connection.apiHost}/api/v1/web/guest/whisklens/${action}${path}?token=${token()}`
    for (const other of ['PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await fetch(url, { method: other })
      expect([other, status, headers.get('allow')]).toEqual([
        other,
        405,
        method === 'GET' ? 'GET, HEAD' : 'POST',
      ])
    }
    const [head, same] = [await fetch(url, { method: 'HEAD' }), await fetch(url, { method })]
    expect([head.status, head.headers.get('content-type')]).toEqual([
      method === 'GET' ? 200 : 405,
      same.headers.get('content-type'),
    ])
    expect(await head.text()).toBe('')
    await same.body?.cancel()
  })

  it('accepts requests with its token', async () => {
    expect((await ask(target, `?token=${token()}`)).status).toBe(200)
    expect((await ask(target, '', bearer(token()))).status).toBe(200)
  })
})

it('ignores events about the results bucket', async () => {
  const [events] = guarded
  for (const [bucket, images] of [
    ['results', 0],
    ['images', 1],
  ] as const) {
    const headers = bearer(secrets.eventsToken)
    const { text } = await ask(events as (typeof guarded)[number], '', headers, notificationOf(bucket))
    expect(JSON.parse(text)).toEqual({ received: 1, images, fired: images })
  }
})

describe('a deployment without tokens', () => {
  // wskdeploy replaces unset variables with empty text.
  beforeAll(() => setTokens({ eventsToken: '', resultsToken: '' }))
  afterAll(() => setTokens(secrets))

  async function setTokens(to: Pick<Secrets, 'eventsToken' | 'resultsToken'>): Promise<void> {
    const { parameters = [], version } = await clients.ow.packages.get({ name: 'whisklens' })
    const changed = parameters.map(({ key, value }) => {
      const isToken = key === 'eventsToken' || key === 'resultsToken'
      return { key, value: isToken ? to[key] : value }
    })
    await clients.ow.packages.update({
      name: 'whisklens',
      package: { version, parameters: changed },
    } as never)
  }

  it.each(guarded.filter(([action]) => action !== 'predict'))('lets nobody in at %s', async (...target) => {
    const token = secrets[target[3]]
    const answers = [
      await ask(target),
      await ask(target, '?token='),
      await ask(target, '?token=undefined'),
      await ask(target, '', bearer('')),
      await ask(target, `?token=${token}`),
      await ask(target, '', bearer(token)),
    ]
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401))
    for (const { text } of answers) for (const word of hidden()) expect(text).not.toContain(word)
  })
})

describe('the API of OpenWhisk', () => {
  const entity = { exec: { kind: 'nodejs:20', code: 'const main = () => ({})' } }
  const calls: [method: string, path: string, body?: Dict][] = [
    ['GET', 'packages/whisklens'],
    ['PUT', 'packages/whisklens?overwrite=true', { parameters: [] }],
    ['DELETE', 'packages/whisklens'],
    ['GET', 'actions/whisklens/classify'],
    ['PUT', 'actions/whisklens/results?overwrite=true', entity],
    ['POST', 'actions/whisklens/start-batch?blocking=true', {}],
    ['GET', 'triggers/image-uploaded'],
    ['POST', 'triggers/batch-requested', { prefix: '' }],
    ['GET', 'rules/on-image-uploaded'],
    ['POST', 'rules/on-image-uploaded', { status: 'inactive' }],
    ['GET', 'activations?docs=true'],
  ]
  const send = async (
    namespace: string,
    key: string | undefined,
    [method, path, body]: (typeof calls)[number],
  ) => {
    const answer = await fetch(`${local.connection.apiHost}/api/v1/namespaces/${namespace}/${path}`, {
      method,
      body: body && JSON.stringify(body),
      headers: key ? { authorization: `Basic ${Buffer.from(key).toString('base64')}` } : {},
    })
    return { status: answer.status, text: await answer.text() }
  }
  const [uuid, secret] = ['23bc46b1-71f6-4ed5-8c54-816aa4f8c502', 'of-another-namespace']

  it.each(calls)('requires the key of the namespace for %s %s', async (...call) => {
    const [own = '', key = ''] = secrets.auth.split(':')
    const wrong = [undefined, ':', `${uuid}:${secret}`, `${own}:${secret}`, `${own}:`, `${uuid}:${key}`, own]
    for (const namespace of ['guest', '_']) {
      for (const auth of wrong) {
        const { status, text } = await send(namespace, auth, call)
        expect([auth, status]).toEqual([auth, 401])
        for (const word of hidden()) expect(text).not.toContain(word)
      }
    }
  })

  it.each(calls)('separates namespaces for %s %s', async (...call) => {
    expect((await send('others', secrets.auth, call)).status).toBe(403)
  })

  it('changes nothing when refusing', async () => {
    const { parameters = [] } = await clients.ow.packages.get({ name: 'whisklens' })
    expect(parameters).toContainEqual({ key: 'resultsToken', value: secrets.resultsToken })
    expect(await clients.ow.rules.get({ name: 'on-image-uploaded' })).toMatchObject({ status: 'active' })
    const batches = (await clients.keys('batches/')).map((key) => key.split('/')[1])
    expect(batches.filter((batch) => !batch?.startsWith('uploads-'))).toEqual([])
  })
})

describe('an invocation that sets an input of the package', () => {
  const invoke = async (action: string, body: object) => {
    const { apiHost, auth } = local.connection
    const answer = await fetch(`${apiHost}/api/v1/namespaces/_/actions/whisklens/${action}?blocking=true`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        authorization: `Basic ${Buffer.from(auth).toString('base64')}`,
        'content-type': 'application/json',
      },
    })
    return { status: answer.status, body: (await answer.json()) as { error?: string } }
  }

  it.each(['classify', 'aggregate', 'classify-images', 'start-batch', 'bucket-feed', 'results', 'predict'])(
    'of %s is refused, whether or not the deployment sets it',
    async (action) => {
      for (const name of packageInputs) {
        for (const value of ['http://127.0.0.1:9', '']) {
          const { status, body } = await invoke(action, { [name]: value })
          expect([name, status, body.error]).toEqual([name, 400, expect.stringContaining('not allowed')])
        }
      }
    },
  )

  it('through a query or body over the web is refused, too', async () => {
    for (const name of packageInputs) {
      expect((await ask(['results', 'GET', '', 'resultsToken'], `?${name}=x`)).status).toBe(400)
      const body = JSON.stringify({ [name]: 'x' })
      expect((await ask(['bucket-events', 'POST', '', 'eventsToken'], '', {}, body)).status).toBe(400)
    }
  })

  it('may choose a model', async () => {
    const asked = { describe: true, model: 'efficientnet-lite0' }
    expect((await invoke('classify', asked)).status).toBe(200)
    const dryRun = { prefix: 'private/', dryRun: true, model: 'efficientnet-lite0' }
    expect((await invoke('start-batch', dryRun)).status).toBe(200)
  })
})

describe('the feed of a bucket', () => {
  const invoke = (params: Dict): Promise<string> =>
    clients.ow.actions.invoke({ name: 'whisklens/bucket-feed', params, blocking: true, result: true }).then(
      () => 'done',
      ({ error }) => JSON.stringify(error),
    )
  const create = { lifecycleEvent: 'CREATE', triggerName: '/_/mine', minutes: 0 }

  it.each<[string, Dict, string]>([
    ['a trigger of others', { triggerName: '/others/theirs' }, 'belongs to another namespace'],
    ['the bucket of the results', { bucket: 'results' }, 'is the results bucket'],
    ['an event that there is not', { lifecycleEvent: 'STEAL' }, 'Not a feed request'],
  ])('refuses %s', async (_, params, reason) => {
    expect(await invoke({ ...create, ...params })).toContain(reason)
    expect(await clients.keys('feeds/')).toEqual(['feeds/guest/image-uploaded.json'])
  })

  it('with triggers of others, as through a binding of the package, does not affect other triggers', async () => {
    const Key = 'feeds/a-namespace/theirs.json'
    const theirs = {
      trigger: '/a-namespace/theirs',
      bucket: 'images',
      createdAt: '2026-01-01T00:00:00Z',
      revision: 1,
      writeId: 'theirs',
    }
    const { store } = clients
    await store.putObject({ Bucket: 'results', Key, Body: JSON.stringify(theirs) }).promise()
    const [events] = guarded
    const { text } = await ask(events as (typeof guarded)[number], '', bearer(secrets.eventsToken))
    expect(JSON.parse(text)).toEqual({ received: 1, images: 1, fired: 1 })
    await store.deleteObject({ Bucket: 'results', Key }).promise()
  })

  it('uses the key of its caller, and does not store it', async () => {
    const authKey = `${'0'.repeat(36)}:a-key-that-nobody-has`
    expect(await invoke({ ...create, authKey })).toBe('done')
    const kept = await Promise.all((await clients.keys('feeds/')).map((key) => clients.read(key)))
    expect(kept.join()).toContain('/guest/mine')
    for (const key of [authKey, secrets.auth]) expect(kept.join()).not.toContain(key.split(':')[1])
    expect(await invoke({ ...create, lifecycleEvent: 'DELETE' })).toBe('done')
  })
})
