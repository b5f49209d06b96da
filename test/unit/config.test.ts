// biome-ignore-all lint/suspicious/noTemplateCurlyInString: manifests hold such text
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  environmentName,
  settingNames,
  settingsFromEnvironment,
  settingsFromParams,
  toEnvironment,
} from '../../src/config'
import { certificatesIn } from '../../src/trust'
import { makeAuthority } from '../helpers/tls'
import { temporaryFolder } from './cli-run'

const folder = temporaryFolder()

const defaults = {
  s3Region: 'us-east-1',
  imagesBucket: 'images',
  resultsBucket: 'results',
  model: 'default',
  engine: 'auto',
  gbSecondPrice: '0.000017',
}

let ca: string
beforeAll(async () => {
  ca = certificatesIn((await makeAuthority()).ca)
})

describe('the names of settings', () => {
  it('are the documented ones in the environment', () => {
    expect(settingNames.map(environmentName)).toEqual([
      'WHISKLENS_S3_ENDPOINT',
      'WHISKLENS_S3_REGION',
      'WHISKLENS_S3_ACCESS_KEY_ID',
      'WHISKLENS_S3_SECRET_ACCESS_KEY',
      'WHISKLENS_S3_SESSION_TOKEN',
      'WHISKLENS_S3_ENCRYPTION',
      'WHISKLENS_S3_KMS_KEY_ID',
      'WHISKLENS_IMAGES_BUCKET',
      'WHISKLENS_RESULTS_BUCKET',
      'WHISKLENS_RUNTIME_IMAGE',
      'WHISKLENS_EVENTS_TOKEN',
      'WHISKLENS_RESULTS_TOKEN',
      'WHISKLENS_MODEL',
      'WHISKLENS_ENGINE',
      'WHISKLENS_GB_SECOND_PRICE',
      'WHISKLENS_THUMBNAILS',
      'WHISKLENS_CA',
      'WHISKLENS_WEBHOOK_URL',
      'WHISKLENS_WEBHOOK_SECRET',
    ])
  })
})

describe('settings', () => {
  it.each(['127.0.0.1:7075', 's3.example.com', 'ftp://s3.example.com', 'http://'])(
    'refuse the endpoint %j: it is no URL of http or https',
    (s3Endpoint) => {
      const failure = expect.objectContaining({
        code: 'bad_setting',
        message: expect.stringMatching(/begins with http:\/\/ or https:\/\/[\s\S]*s3Endpoint/),
      })
      expect(() => settingsFromParams({ s3Endpoint })).toThrow(failure)
      expect(() => settingsFromEnvironment({ WHISKLENS_S3_ENDPOINT: s3Endpoint })).toThrow(failure)
    },
  )

  it('have defaults where a sensible one exists', () => {
    expect(settingsFromEnvironment({})).toEqual(defaults)
    expect(settingsFromParams({})).toEqual(defaults)
  })

  it.each(['', '$WHISKLENS_S3_ENDPOINT', '${WHISKLENS_S3_ENDPOINT}', '$WHISKLENS_MODEL'])(
    'are unset when wskdeploy passes on %j for an unset variable',
    (unset) => {
      expect(settingsFromParams({ s3Endpoint: unset, defaultModel: unset })).toEqual(defaults)
    },
  )

  it('may otherwise contain a dollar sign', () => {
    for (const s3SecretAccessKey of ['$ecret', 'a$WHISKLENS_MODEL', '$HOME']) {
      expect(settingsFromParams({ s3SecretAccessKey }).s3SecretAccessKey).toBe(s3SecretAccessKey)
    }
  })

  it('are read from an action’s parameters, ignoring others', () => {
    const params = {
      defaultModel: 'other',
      images: [{ bucket: 'b', key: 'k' }],
      runtimeImage: 'x/y',
    }
    expect(settingsFromParams(params)).toEqual({ ...defaults, model: 'other', runtimeImage: 'x/y' })
  })

  it('have the deployment’s model, whatever model an invocation requests', () => {
    expect(settingsFromParams({ defaultModel: 'one', model: 'two' }).model).toBe('one')
  })

  it('that are not text are an error that names them', () => {
    for (const value of [7, true, null, {}, []]) {
      expect(() => settingsFromParams({ s3Endpoint: value })).toThrow(/s3Endpoint/)
    }
  })

  it.each(['0', '0.00002', '2e-7', 3, 0.0000001])(
    'accept %j for the price of a GB-second: wsk converts it to a number',
    (gbSecondPrice) => {
      expect(settingsFromParams({ gbSecondPrice }).gbSecondPrice).toBe(String(gbSecondPrice))
    },
  )

  it.each(['-1', 'free', '1,5', '0x10', '1e999', ' ', Number.NaN, -1])(
    'refuse %j for the price of a GB-second',
    (gbSecondPrice) => {
      expect(() => settingsFromParams({ gbSecondPrice })).toThrow(/such as 0\.000017\n.*gbSecondPrice/)
    },
  )

  it('accept a flag as text, and as converted by wsk', () => {
    for (const on of ['true', true]) expect(settingsFromParams({ thumbnails: on }).thumbnails).toBe('true')
    expect(settingsFromParams({ thumbnails: false }).thumbnails).toBe('false')
    expect(() => settingsFromParams({ thumbnails: 'yes' })).toThrow(/thumbnails/)
  })

  it.each(['aes256', 'aws:kms:dsse', 'none', true])('refuse the encryption %j', (s3Encryption) => {
    expect(() => settingsFromParams({ s3Encryption })).toThrow(/s3Encryption/)
  })

  it('survive the way through the environment', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => !/^\$\{?WHISKLENS_\w+\}?$/.test(text))
    const gbSecondPrice = fc.nat().map((billionths) => String(billionths / 1e9))
    const texts = Object.fromEntries(settingNames.map((name) => [name, value]))
    const s3Encryption = fc.constantFrom('AES256', 'aws:kms')
    const urls = { s3Endpoint: fc.webUrl(), webhookUrl: fc.webUrl({ validSchemes: ['https'] }) }
    const webhookSecret = fc
      .uint8Array({ minLength: 24, maxLength: 64 })
      .map((bytes) => `whsec_${Buffer.from(bytes).toString('base64')}`)
    const thumbnails = fc.constantFrom('true', 'false')
    const known = { gbSecondPrice, s3Encryption, thumbnails, ca: fc.constant(ca), ...urls, webhookSecret }
    const some = fc.record({ ...texts, ...known }, { requiredKeys: [] })
    fc.assert(
      fc.property(some, (settings) => {
        fc.pre(!settings.webhookUrl || settings.webhookSecret !== undefined)
        expect(settingsFromEnvironment(toEnvironment(settings))).toEqual({ ...defaults, ...settings })
      }),
    )
  })

  it('accept authorities as text, and as a file path only from the environment', async () => {
    const path = join(folder.path, 'ca.pem')
    await writeFile(path, `# ours\n${ca}`)
    expect(settingsFromEnvironment({ WHISKLENS_CA: ca }).ca).toBe(ca)
    expect(settingsFromEnvironment({ WHISKLENS_CA: path }).ca).toBe(ca)
    expect(settingsFromParams({ ca: ca.replaceAll('\n', '\\n') }).ca).toBe(ca)
    expect(() => settingsFromParams({ ca: path })).toThrow('WHISKLENS_CA contains no certificate')
    expect(() => settingsFromEnvironment({ WHISKLENS_CA: '/not/there.pem' })).toThrow(
      /WHISKLENS_CA is neither PEM nor a readable file: .*\/not\/there.pem/,
    )
    const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n'
    for (const text of [key, Buffer.from(key).toString('base64')]) {
      expect(() => settingsFromEnvironment({ WHISKLENS_CA: text })).toThrow(
        /^WHISKLENS_CA contains no certificate$/,
      )
    }
    for (const unset of ['', '$WHISKLENS_CA']) {
      expect(settingsFromParams({ ca: unset }).ca).toBeUndefined()
      expect(settingsFromEnvironment({ WHISKLENS_CA: unset }).ca).toBeUndefined()
    }
  })

  it('that are unset become no variables', () => {
    expect(toEnvironment({ model: 'm', s3Endpoint: undefined })).toEqual({ WHISKLENS_MODEL: 'm' })
  })
})
