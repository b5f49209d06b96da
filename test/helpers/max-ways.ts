import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Container } from '../../src/local/containers/container'
import { imageEnvironment } from '../../src/local/images'
import { buildRuntime, clientOf, startTestHost } from '../contract/api-host'

/* The ways in which clients reach the image of a MAX model, whose actions have no code. */

/** Like `fetch`, with a path below the model's address. */
export type Ask = (path: string, init?: RequestInit) => Promise<Response>

export interface Reached {
  ask: Ask
  stop(): Promise<void>
}

/** Contents of an image: the container's program, and the action it runs without code. */
function buildImage() {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-max-'))
  const archive = join(__dirname, '..', '..', 'dist', 'actions', 'predict.zip')
  return { folder, runtime: buildRuntime(folder), archive }
}

const environmentOf = (image: string, archive: string, models: string) => ({
  ...imageEnvironment(image),
  WHISKLENS_DEFAULT_ACTION: archive,
  WHISKLENS_MODELS: models,
})

/** `wsk action create model --docker me/NAME --web true -m 512`, then HTTP. */
async function overHttp(name: string, models: string): Promise<Reached> {
  const { folder, runtime, archive } = buildImage()
  const host = await startTestHost(runtime, {
    images: (image = '') => environmentOf(image, archive, models),
  })
  await clientOf(host).actions.update({
    name: 'model',
    action: {
      exec: { kind: 'blackbox', image: `me/${name}:1.0` },
      annotations: [
        { key: 'web-export', value: true },
        { key: 'raw-http', value: false },
        { key: 'final', value: true },
      ],
      limits: { memory: 512 },
    },
  } as never)
  return {
    ask: (path, init) => fetch(`${host.url}/api/v1/web/guest/default/model${path}`, init),
    stop: async () => {
      await host.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** /init without code, then /run with the parameters that the platform passes to a raw web action. */
async function overInitAndRun(name: string, models: string): Promise<Reached> {
  const { folder, runtime, archive } = buildImage()
  mkdirSync(join(folder, 'home'))
  const container = await Container.start({
    runtime,
    folder: join(folder, 'home'),
    memory: 512,
    environment: environmentOf(name, archive, models),
  })
  const post = async (path: '/init' | '/run', body: object) => {
    container.logs.begin(10_000_000)
    const reply = await container.post(path, body, 120_000)
    if (typeof reply === 'string' || reply.status !== 200) {
      throw new Error(`${path}: ${JSON.stringify(reply)} ${await container.logs.end()}`)
    }
    return JSON.parse(reply.body)
  }
  await post('/init', { value: { name: 'model', main: 'main', code: '', binary: false, env: {} } })
  return {
    ask: async (path, init) => {
      const [pathname, query = ''] = path.split('?')
      const request = new Request('http://model.test', init)
      const value = {
        __ow_method: request.method.toLowerCase(),
        __ow_headers: Object.fromEntries(request.headers),
        __ow_path: pathname,
        __ow_query: query,
        __ow_body: Buffer.from(await request.arrayBuffer()).toString('base64'),
      }
      const { statusCode, headers, body } = await post('/run', { value, activation_id: 'a1' })
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      // A response to HEAD has no body.
      return new Response(request.method === 'HEAD' ? null : text, { status: statusCode, headers })
    },
    stop: async () => {
      await container.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** By name for test titles; each takes the image name and the models folder. */
export const ways: [string, (name: string, models: string) => Promise<Reached>][] = [
  ['a web action of the local mode, over HTTP', overHttp],
  ['a container, by /init and /run', overInitAndRun],
]
