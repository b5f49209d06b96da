import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  type ConnectionFlags,
  needOpenWhisk,
  needStore,
  resolveConnection,
} from '../../src/cli/shared/connection'
import { makeAuthority } from '../helpers/tls'
import { temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let server: Server
let localHost: string

beforeAll((done) => {
  server = createServer().listen(0, '127.0.0.1', () => {
    localHost = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    done()
  })
})
afterAll((done) => {
  server.close(done)
})

const write = async (name: string, content: string | object) => {
  await mkdir(join(folder.path, '.whisklens'), { recursive: true })
  await writeFile(join(folder.path, name), typeof content === 'string' ? content : JSON.stringify(content))
}

const writeLocal = (apiHost = localHost, name = '.whisklens', s3: object = {}) =>
  write(join(name, 'connection.json'), {
    apiHost,
    auth: 'local:key',
    namespace: 'guest',
    s3: {
      endpoint: 'http://127.0.0.1:9',
      region: 'local-1',
      accessKeyId: 'LID',
      secretAccessKey: 'LKEY',
      ...s3,
    },
    imagesBucket: 'local-images',
    resultsBucket: 'local-results',
    gallery: 'g',
    webToken: 't',
    wskprops: 'w',
    deployed: {
      s3Endpoint: 'http://127.0.0.1:9',
      s3AccessKeyId: 'LIMITED',
      eventsToken: 'local events',
      thumbnails: 'true',
    },
  })

const writeProps = (content = 'APIHOST=props.example\nAUTH=props:key\nNAMESPACE=props\n') =>
  write('.wskprops', content)
const writeConfig = (content: object) => write('whisklens.config.json', content)

afterEach(async () => {
  for (const name of ['.whisklens', '.wskprops', 'whisklens.config.json']) {
    await rm(join(folder.path, name), { recursive: true, force: true })
  }
})

const resolve = (flags: ConnectionFlags = {}, env: NodeJS.ProcessEnv = {}) =>
  resolveConnection(flags, { env: { HOME: folder.path, ...env }, cwd: folder.path })

const s3Environment = {
  WHISKLENS_S3_ENDPOINT: 'http://env.example',
  WHISKLENS_S3_ACCESS_KEY_ID: 'EID',
  WHISKLENS_S3_SECRET_ACCESS_KEY: 'EKEY',
}

describe('the connection', () => {
  it('has defaults without configuration', async () => {
    const { settings, apiHost, auth, namespace } = await resolve()
    expect([apiHost, auth, namespace]).toEqual([undefined, undefined, '_'])
    expect(settings).toMatchObject({ imagesBucket: 'images', resultsBucket: 'results', engine: 'auto' })
  })

  it('is resolved in this order: flags, environment, configuration file, local mode, ~/.wskprops', async () => {
    await writeProps()
    expect(await resolve()).toMatchObject({ apiHost: 'props.example', auth: 'props:key', namespace: 'props' })
    await writeLocal()
    expect(await resolve()).toMatchObject({ apiHost: localHost, auth: 'local:key', namespace: 'guest' })
    await writeConfig({ apiHost: 'file.example', auth: 'file:key', namespace: 'file' })
    expect(await resolve()).toMatchObject({ apiHost: 'file.example', auth: 'file:key', namespace: 'file' })
    const env = { WHISKLENS_APIHOST: 'env.example', WHISKLENS_AUTH: 'env:key', WHISKLENS_NAMESPACE: 'env' }
    expect(await resolve({}, env)).toMatchObject({
      apiHost: 'env.example',
      auth: 'env:key',
      namespace: 'env',
    })
    const flags = { apihost: 'flag.example', auth: 'flag:key', namespace: 'flag' }
    expect(await resolve(flags, env)).toMatchObject({
      apiHost: 'flag.example',
      auth: 'flag:key',
      namespace: 'flag',
    })
  })

  it('has its object store from the environment, the configuration file, the local mode', async () => {
    await writeLocal()
    expect((await resolve()).settings).toMatchObject({ s3AccessKeyId: 'LID', imagesBucket: 'local-images' })
    await writeConfig({
      s3Endpoint: 'http://file.example',
      s3Region: 'eu-west-1',
      imagesBucket: 'file-images',
    })
    expect((await resolve()).settings).toMatchObject({ s3Region: 'eu-west-1', imagesBucket: 'file-images' })
    expect((await resolve({}, s3Environment)).settings).toMatchObject({
      s3Endpoint: 'http://env.example',
      s3AccessKeyId: 'EID',
      s3Region: 'eu-west-1',
    })
  })

  describe('to a running local mode', () => {
    const elsewhere = { WHISKLENS_APIHOST: 'https://openwhisk.example', WHISKLENS_AUTH: 'a:b' }

    it('is not for OpenWhisk if the object store is another', async () => {
      await writeLocal()
      const connection = await resolve({}, s3Environment)
      expect(needStore(connection)).toBeDefined()
      const refusal = {
        code: 'bad_setting',
        message: expect.stringContaining('http://env.example'),
        hint: 'A local mode is running in .whisklens. Stop it, or set WHISKLENS_APIHOST and WHISKLENS_AUTH.',
      }
      expect(() => needOpenWhisk(connection)).toThrow(expect.objectContaining(refusal))
      await writeConfig({ s3Endpoint: 'http://file.example' })
      const byFile = await resolve()
      expect(() => needOpenWhisk(byFile)).toThrow('http://file.example')
      // Another port of this machine is another store, and another name of it the same.
      const near = await resolve({}, { WHISKLENS_S3_ENDPOINT: 'http://127.0.0.1:8' })
      expect(() => needOpenWhisk(near)).toThrow('http://127.0.0.1:8')
      const same = await resolve({}, { WHISKLENS_S3_ENDPOINT: 'http://localhost:9/' })
      expect(needOpenWhisk(same).apiHost).toBe(localHost)
      const named = await resolve({}, { ...s3Environment, ...elsewhere })
      expect(needOpenWhisk(named).apiHost).toBe('https://openwhisk.example')
    })

    it('names the API host of ~/.wskprops that the local mode hides', async () => {
      await writeProps()
      await writeLocal()
      const connection = await resolve({}, s3Environment)
      const refusal = {
        hint: expect.stringContaining('comes before ~/.wskprops (props.example). Stop it, or'),
      }
      expect(() => needOpenWhisk(connection)).toThrow(expect.objectContaining(refusal))
    })

    it('is not for an OpenWhisk elsewhere, which cannot reach its store', async () => {
      await writeLocal()
      const far = await resolve({}, elsewhere)
      const refusal = { code: 'bad_setting', hint: expect.stringContaining('set WHISKLENS_S3_ENDPOINT') }
      expect(() => needOpenWhisk(far)).toThrow(expect.objectContaining(refusal))
      const proxy = { WHISKLENS_APIHOST: 'http://127.0.0.1:1', WHISKLENS_AUTH: 'a:b' }
      expect(needOpenWhisk(await resolve({}, proxy)).apiHost).toBe('http://127.0.0.1:1')
    })

    it('deploys what the local mode did, except for settings that are none of its own', async () => {
      await writeLocal()
      const env = {
        WHISKLENS_S3_ENDPOINT: 'http://127.0.0.1:9',
        WHISKLENS_S3_ACCESS_KEY_ID: 'OWNER',
        WHISKLENS_EVENTS_TOKEN: 'other',
        WHISKLENS_THUMBNAILS: 'false',
        WHISKLENS_ENGINE: 'wasm',
      }
      const { given, settings } = await resolve({}, env)
      expect(settings.s3AccessKeyId).toBe('OWNER')
      expect(given).toEqual({
        s3Endpoint: 'http://127.0.0.1:9',
        s3AccessKeyId: 'LIMITED',
        eventsToken: 'local events',
        thumbnails: 'false',
        engine: 'wasm',
      })
    })
  })

  it('has a session token only from the source of its key', async () => {
    await writeConfig({
      s3Endpoint: 'http://file.example',
      s3AccessKeyId: 'FID',
      s3SecretAccessKey: 'FKEY',
      s3SessionToken: 'of the file',
    })
    expect((await resolve()).settings.s3SessionToken).toBe('of the file')
    expect((await resolve({}, s3Environment)).settings.s3SessionToken).toBeUndefined()
    const temporary = { ...s3Environment, WHISKLENS_S3_SESSION_TOKEN: 'of the environment' }
    expect((await resolve({}, temporary)).settings.s3SessionToken).toBe('of the environment')
    await writeLocal()
    await writeConfig({ s3SessionToken: 'of no key' })
    const { s3AccessKeyId, s3SessionToken } = (await resolve()).settings
    expect([s3AccessKeyId, s3SessionToken]).toEqual(['LID', undefined])
  })

  it('requests the encryption that the local mode’s store requires', async () => {
    await writeLocal(localHost, '.whisklens', { encryption: 'aws:kms' })
    expect((await resolve()).settings.s3Encryption).toBe('aws:kms')
    await writeConfig({ s3Endpoint: 'http://file.example' })
    expect((await resolve()).settings.s3Encryption).toBeUndefined()
  })

  it('prefers an environment variable to the file even if it has the default value', async () => {
    await writeConfig({ s3Region: 'eu-west-1', model: 'other' })
    const { settings } = await resolve({}, { WHISKLENS_S3_REGION: 'us-east-1', WHISKLENS_MODEL: '' })
    expect(settings).toMatchObject({ s3Region: 'us-east-1', model: 'other' })
  })

  it('never sends the keys of the local mode to another store or host', async () => {
    await writeLocal()
    await writeConfig({ apiHost: 'file.example', s3Endpoint: 'http://file.example' })
    const { auth, settings } = await resolve()
    expect([auth, settings.s3AccessKeyId, settings.s3SecretAccessKey]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('sends the key of ~/.wskprops to its own host and to one named by flag, not to one named by a folder', async () => {
    await writeProps()
    expect((await resolve({ apihost: 'flag.example' })).auth).toBe('props:key')
    await writeConfig({ apiHost: 'props.example' })
    expect((await resolve()).auth).toBe('props:key')
    await writeConfig({ apiHost: 'elsewhere.example' })
    expect((await resolve()).auth).toBeUndefined()
  })

  it('finds the local mode by --data, then WHISKLENS_DATA', async () => {
    await mkdir(join(folder.path, '.whisklens', 'other'), { recursive: true })
    await writeLocal(localHost, join('.whisklens', 'other'))
    expect((await resolve()).apiHost).toBeUndefined()
    expect((await resolve({ data: '.whisklens/other' })).apiHost).toBe(localHost)
    expect((await resolve({}, { WHISKLENS_DATA: '.whisklens/other' })).apiHost).toBe(localHost)
    expect((await resolve({ data: '.whisklens/other' }, { WHISKLENS_DATA: 'nowhere' })).apiHost).toBe(
      localHost,
    )
  })

  it('fails if no local mode runs on the folder of --data', async () => {
    await expect(resolve({ data: 'nowhere' })).rejects.toMatchObject({
      code: 'not_configured',
      hint: 'Start it with: whisklens up --data nowhere',
    })
  })

  it('ignores the files of a killed local mode', async () => {
    await writeLocal('http://127.0.0.1:1')
    expect((await resolve()).apiHost).toBeUndefined()
  })

  it('reads WSK_CONFIG_FILE instead of ~/.wskprops, with comments, quotes and blanks', async () => {
    await writeProps()
    await write('.whisklens/props', '# mine\n\nAPIHOST = "other.example"\r\nAUTH=a:b=\nSOMETHING\n')
    const found = await resolve({}, { WSK_CONFIG_FILE: join(folder.path, '.whisklens', 'props') })
    expect(found).toMatchObject({ apiHost: 'other.example', auth: 'a:b=', namespace: '_' })
  })

  it.each([
    ['{"imageBucket": "x"}', /whisklens\.config\.json is not valid: .*imageBucket/],
    ['{"s3Region": 1}', /is not valid: s3Region/],
    ['{', /whisklens\.config\.json is not JSON/],
    ['{"s3SecretAccessKey": "hidden" "s3Region": "x"}', /is not JSON: (?!.*hidden)/s],
    ['{"s3SecretAccessKey": hidden}', /is not JSON: (?!.*hidden)/s],
  ])('refuses the configuration file %s', async (content, message) => {
    await write('whisklens.config.json', content)
    await expect(resolve()).rejects.toMatchObject({
      code: 'bad_setting',
      message: expect.stringMatching(message),
    })
  })
})

describe('trusted certificates', () => {
  it('come from WHISKLENS_CA, as text or a path, for the API host and the store', async () => {
    const { ca } = await makeAuthority()
    await write('.whisklens/ca.pem', ca)
    const env = { ...s3Environment, WHISKLENS_APIHOST: 'a', WHISKLENS_AUTH: 'b:c' }
    for (const value of [ca, join(folder.path, '.whisklens', 'ca.pem')]) {
      const connection = await resolve({}, { ...env, WHISKLENS_CA: value })
      expect(needOpenWhisk(connection).ca).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
      expect(connection.settings.ca).toBe(needOpenWhisk(connection).ca)
    }
  })

  it('are not configurable by a folder, nor is the check by a variable', async () => {
    for (const name of ['WHISKLENS_INSECURE', '__OW_IGNORE_CERTS']) {
      await expect(resolve({}, { [name]: 'true' })).rejects.toMatchObject({
        code: 'bad_setting',
        message: expect.stringContaining(`${name} is set`),
        hint: expect.stringContaining('--insecure'),
      })
    }
    for (const setting of [{ ca: 'x' }, { insecure: true }]) {
      await writeConfig(setting)
      await expect(resolve()).rejects.toMatchObject({ code: 'bad_setting' })
    }
  })

  it('are checked unless --insecure is given', async () => {
    const env = { WHISKLENS_APIHOST: 'a', WHISKLENS_AUTH: 'b:c' }
    expect(needOpenWhisk(await resolve({}, env)).insecure).toBeFalsy()
    expect(needOpenWhisk(await resolve({ insecure: true }, env)).insecure).toBe(true)
  })

  it('include the client certificate of ~/.wskprops for its API host only', async () => {
    const { cert, key } = await (await makeAuthority()).issue()
    await write('.whisklens/cert.pem', cert)
    await write('.whisklens/key.pem', key)
    const line = (name: string, file: string) => `${name}=${join(folder.path, '.whisklens', file)}\n`
    const props = `APIHOST=props.example\nAUTH=a:b\n${line('CERT', 'cert.pem')}`
    await writeProps(`${props}${line('KEY', 'key.pem')}`)
    expect(needOpenWhisk(await resolve())).toMatchObject({ cert, key })
    // A client certificate is not used over plain HTTP.
    expect(needOpenWhisk(await resolve({ apihost: 'http://127.0.0.1:1' })).cert).toBeUndefined()
    await writeConfig({ apiHost: 'elsewhere.example', auth: 'c:d' })
    expect(needOpenWhisk(await resolve()).cert).toBeUndefined()
    await rm(join(folder.path, 'whisklens.config.json'))
    const [another, missing] = [line('KEY', 'cert.pem'), line('KEY', 'missing.pem')]
    for (const key of ['', missing, another]) {
      await writeProps(props + key)
      await expect(resolve()).rejects.toMatchObject({ message: expect.stringContaining('CERT and KEY') })
    }
  })
})

describe('a command that needs a connection', () => {
  it('says what to do without one', async () => {
    const nothing = await resolve()
    expect(() => needStore(nothing)).toThrow('No object store is configured')
    expect(() => needOpenWhisk(nothing)).toThrow('No OpenWhisk is configured')
    expect(() => needOpenWhisk({ ...nothing, apiHost: 'x' })).toThrow('There is no API key for x')
  })
})
