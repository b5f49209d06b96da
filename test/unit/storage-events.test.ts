import fc from 'fast-check'
import { InvalidInputError } from '../../src/errors'
import { parseEvent, parseText, toStructured } from '../../src/storage/events'
import { bodyOf, created, fixtureNames, unknownShapes } from '../helpers/event-fixtures'
import { anyKey } from './batch-fixtures'

/** A key as encoded in S3 events: like a form, with `+` for a space. */
const encoded = (key: string): string => encodeURIComponent(key).replaceAll('%20', '+')

const s3Record = (key: string, eventName = 'ObjectCreated:Put', object: object = {}) => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: 'eu-west-1',
  eventTime: '2026-11-22T08:00:00.000Z',
  eventName,
  userIdentity: { principalId: 'EXAMPLE' },
  s3: {
    s3SchemaVersion: '1.0',
    configurationId: 'uploads',
    bucket: { name: 'photos', ownerIdentity: { principalId: 'EXAMPLE' }, arn: 'arn:aws:s3:::photos' },
    object: {
      key,
      size: 3,
      eTag: 'd41d8cd98f00b204e9800998ecf8427e',
      sequencer: '0055AED6DCD90281E5',
      ...object,
    },
  },
})

const eventsOf = (message: unknown) => parseEvent(message).events
const keys = (message: unknown) => eventsOf(message).map(({ key }) => key)

/** The refusal of a whole message. */
function refusalOf(message: unknown): string {
  try {
    parseEvent(message)
  } catch (thrown) {
    if (thrown instanceof InvalidInputError) return thrown.message
    throw thrown
  }
  throw new Error('It was understood')
}

describe('an S3 notification', () => {
  it('of AWS names the image', () => {
    expect(eventsOf({ Records: [s3Record('happy+face%21.jpg')] })).toEqual([
      {
        bucket: 'photos',
        key: 'happy face!.jpg',
        size: 3,
        etag: 'd41d8cd98f00b204e9800998ecf8427e',
        removed: false,
      },
    ])
  })

  it('of MinIO has the event and the key beside the records, and escapes slashes', () => {
    const message = {
      EventName: 's3:ObjectCreated:Put',
      Key: 'photos/x/a b.jpg',
      Records: [
        s3Record('x%2Fa+b.jpg', 's3:ObjectCreated:Put', {
          contentType: 'image/jpeg',
          userMetadata: { 'content-type': 'image/jpeg' },
        }),
      ],
    }
    expect(eventsOf(message)).toMatchObject([{ bucket: 'photos', key: 'x/a b.jpg', removed: false }])
  })

  it('of Versity has the key as in the request, and null for what is unknown', () => {
    const versity = { ...s3Record('x/a%20b.jpg', 's3:ObjectCreated:Put', { versionId: null, eTag: null }) }
    expect(eventsOf({ Records: [{ ...versity, glacierEventData: {} }] })).toEqual([
      { bucket: 'photos', key: 'x/a b.jpg', size: 3, etag: undefined, removed: false },
    ])
    const removed = s3Record('a.jpg', 's3:ObjectRemoved:Delete', { size: 0, eTag: null, versionId: null })
    expect(eventsOf({ Records: [removed] })).toMatchObject([{ key: 'a.jpg', removed: true }])
  })

  it('of a multipart upload or a copy is one of an image, too', () => {
    for (const name of [
      'ObjectCreated:CompleteMultipartUpload',
      's3:ObjectCreated:Copy',
      'ObjectCreated:Post',
    ]) {
      expect(eventsOf({ Records: [s3Record('a.jpg', name)] })).toMatchObject([{ removed: false }])
    }
  })

  it('reports a deleted image', () => {
    for (const name of ['ObjectRemoved:Delete', 's3:ObjectRemoved:DeleteMarkerCreated']) {
      expect(eventsOf({ Records: [s3Record('a.jpg', name)] })).toMatchObject([{ removed: true }])
    }
  })

  it('ignores other events', () => {
    const names = ['ObjectRestore:Post', 's3:ObjectTagging:Put', 's3:ReducedRedundancyLostObject']
    expect(eventsOf({ Records: names.map((name) => s3Record('a.jpg', name)) })).toEqual([])
  })

  it('may contain many images, in message order', () => {
    expect(keys({ Records: ['c', 'a', 'b'].map((key) => s3Record(key)) })).toEqual(['c', 'a', 'b'])
  })

  it('may have a quoted etag', () => {
    const message = { Records: [s3Record('a', 'ObjectCreated:Put', { eTag: '"abc"' })] }
    expect(eventsOf(message)).toMatchObject([{ etag: 'abc' }])
  })

  it('that tests the connection names no image', () => {
    const aws = {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: '2026-11-22T08:00:00.000Z',
      Bucket: 'photos',
      RequestId: '5582815E1AEA5ADF',
      HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR',
    }
    const versity = {
      Service: 'S3',
      Event: 's3:TestEvent',
      Time: '2026-11-22T08:00:00Z',
      Bucket: 'Test-Bucket',
    }
    for (const message of [aws, versity, { Records: [] }]) expect(eventsOf(message)).toEqual([])
  })
})

describe('the key in an S3 notification', () => {
  it('is decoded whatever it contains: +, %, spaces, emoji', () => {
    fc.assert(
      fc.property(fc.oneof(anyKey, fc.string({ unit: 'grapheme', minLength: 1 })), (key) => {
        expect(keys({ Records: [s3Record(encoded(key))] })).toEqual([key])
        expect(keys({ Records: [s3Record(encodeURIComponent(key))] })).toEqual([key])
      }),
    )
  })

  it.each([
    ['a%2Bb.jpg', 'a+b.jpg'],
    ['100%25.jpg', '100%.jpg'],
    ['100%2525.jpg', '100%25.jpg'],
    ['%F0%9F%98%80+a.jpg', '😀 a.jpg'],
  ])('%s is %s', (sent, key) => {
    expect(keys({ Records: [s3Record(sent)] })).toEqual([key])
  })

  it('is unchanged if its sender did not encode it', () => {
    expect(keys({ Records: [s3Record('100%.jpg')] })).toEqual(['100%.jpg'])
    expect(keys({ Records: [s3Record('100%+1.jpg')] })).toEqual(['100%+1.jpg'])
    expect(keys({ Records: [s3Record('%ff.jpg')] })).toEqual(['%ff.jpg'])
  })
})

describe('an IBM Cloud Object Storage event', () => {
  const message = {
    bucket: 'photos',
    key: 'x/100%+😀.jpg',
    endpoint: 's3.eu-de.cloud-object-storage.appdomain.cloud',
    status: 'added',
    file: {
      ETag: '"4cf6d2b4b1d3e4e9"',
      Key: 'x/100%+😀.jpg',
      LastModified: '2026-11-22T08:00:00.000Z',
      Size: 31_337,
      StorageClass: 'STANDARD',
    },
    notification: {
      bucket_name: 'photos',
      content_type: 'image/jpeg',
      event_type: 'Object:Write',
      object_etag: '4cf6d2b4b1d3e4e9',
      object_length: '31337',
      object_name: 'x/100%+😀.jpg',
    },
  }

  it('names the image by its unencoded key', () => {
    expect(eventsOf(message)).toEqual([
      {
        bucket: 'photos',
        key: 'x/100%+😀.jpg',
        etag: '4cf6d2b4b1d3e4e9',
        size: 31_337,
        lastModified: '2026-11-22T08:00:00.000Z',
        removed: false,
      },
    ])
  })

  it('has what it knows if the object is left out', () => {
    expect(eventsOf({ ...message, file: undefined })).toMatchObject([
      { etag: '4cf6d2b4b1d3e4e9', size: 31_337, lastModified: undefined },
    ])
    expect(eventsOf({ bucket: 'photos', key: 'a.jpg' })).toMatchObject([{ bucket: 'photos', key: 'a.jpg' }])
  })

  it('reports a deleted image', () => {
    expect(eventsOf({ ...message, status: 'deleted', file: {} })).toMatchObject([{ removed: true }])
  })
})

/** Parses any message: throws nothing but InvalidInputError, and returns no empty names. */
function parseAnything(message: unknown): void {
  let events: ReturnType<typeof eventsOf> = []
  try {
    events = eventsOf(message)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(InvalidInputError)
  }
  for (const { bucket, key } of events) expect([bucket, key]).not.toContain('')
}

describe('any other message', () => {
  it.each([
    [{}, 'it is empty'],
    [{ images: [] }, 'no known shape: its fields are images'],
    [{ '{"bucket": "images"': '' }, 'it has no fields (was JSON sent as a form?'],
    [{ Records: 'none' }, 'no known shape: its fields are Records'],
    [{ Records: [{}] }, 'Records[0] has no known shape: it is empty'],
    [{ Records: [7] }, 'Records[0] is not a JSON object'],
    [null, 'is not a JSON object'],
    ['text', 'is not a JSON object'],
    [{ Records: [s3Record('a'.repeat(0))] }, 'Records[0] is not a valid S3 event: s3.object.key'],
  ])('%j is refused: %s', (message, reason) => {
    expect(refusalOf(message)).toContain(reason)
  })

  it('is refused with the known formats, and without its values', () => {
    const message = { password: 'secret', ...Object.fromEntries([...'abcdefgh'].map((name) => [name, 1])) }
    expect(() => parseEvent(message)).toThrow(
      expect.objectContaining({
        code: 'event_unknown',
        message: expect.stringMatching(/its fields are password, a, b, c, d, e, f, g and others$/),
        hint: expect.stringMatching(/S3 event, .*Cloudflare R2 event.*also inside .*SNS.*SQS/),
      }),
    )
  })

  it('never throws anything else', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), parseAnything), { numRuns: 2000 })
    fc.assert(fc.property(fc.string(), parseAnything))
  })

  it('that looks like a notification names no image without a key', () => {
    const anything = fc.jsonValue()
    const orAnything = <T>(value: T) =>
      fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: anything })
    const object = fc.record(
      { key: fc.oneof(fc.string(), anything), size: orAnything(3), eTag: orAnything('v1') },
      { requiredKeys: [] },
    )
    const record = fc.record(
      {
        eventName: orAnything('ObjectCreated:Put'),
        s3: fc.record({ bucket: orAnything({ name: 'photos' }), object: fc.oneof(object, anything) }),
      },
      { requiredKeys: [] },
    )
    const s3 = fc.record({ Records: fc.array(fc.oneof(record, anything), { maxLength: 4 }) })
    const cos = fc.record(
      {
        bucket: orAnything('photos'),
        key: orAnything('a.jpg'),
        status: anything,
        file: anything,
        notification: anything,
      },
      { requiredKeys: [] },
    )
    /** Any fixture with one value replaced. */
    const damaged = fc
      .tuple(fc.constantFrom(...fixtureNames), fc.nat(), anything)
      .map(([name, at, value]) => replaceAt(JSON.parse(bodyOf(name)), at, value))
    fc.assert(fc.property(fc.oneof(s3, cos, damaged), parseAnything), { numRuns: 2000 })
  })
})

/** Replaces one of the values in a document, at any depth. */
function replaceAt(document: unknown, at: number, value: unknown): unknown {
  const paths: ((replacement: unknown) => void)[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      paths.push((replacement) => Object.assign(node, { [key]: replacement }))
      visit((node as Record<string, unknown>)[key])
    }
  }
  visit(document)
  paths[at % paths.length]?.(value)
  return document
}

describe('the notification', () => {
  it.each(Object.entries(created))('%s names its new images', (name, images) => {
    const { events, refused } = parseEvent(JSON.parse(bodyOf(name)))
    const isNew = ({ removed }: { removed: boolean }) => !removed
    expect(events.filter(isNew)).toEqual(images.map((image) => ({ ...image, removed: false })))
    expect(refused).toHaveLength(name.includes('one-bad') ? 1 : 0)
  })

  it.each(unknownShapes)('%s is refused', (name) => {
    expect(refusalOf(JSON.parse(bodyOf(name)))).toContain('[0] has no known shape: its fields are topic')
  })

  it('every file has an expectation', () => {
    expect([...Object.keys(created), ...unknownShapes].sort()).toEqual(fixtureNames.sort())
  })

  it('reports which record is invalid, and why', () => {
    expect(parseEvent(JSON.parse(bodyOf('s3-one-bad-record-of-three'))).refused).toEqual([
      { at: 'Records[1]', reason: expect.stringMatching(/^is not a valid S3 event: s3\.object\.key: /) },
    ])
  })

  it('keeps every valid record, in order, whatever is between them', () => {
    const good = fc.tuple(
      fc.constant(true),
      anyKey.map((key) => s3Record(encoded(key))),
    )
    const bad = fc.tuple(
      fc.constant(false),
      fc.constantFrom<unknown>({}, 7, null, 'x', { eventName: 'ObjectCreated:Put', s3: {} }, s3Record('')),
    )
    fc.assert(
      fc.property(good, fc.array(fc.oneof(good, bad), { maxLength: 9 }), (first, others) => {
        const records = [...others, first]
        const { events, refused } = parseEvent({ Records: records.map(([, record]) => record) })
        const isGood = ([is]: [boolean, unknown]) => is
        expect(events).toEqual(
          records.filter(isGood).flatMap(([, record]) => eventsOf({ Records: [record] })),
        )
        expect(refused.map(({ at }) => at)).toEqual(
          records.flatMap(([is], index) => (is ? [] : [`Records[${index}]`])),
        )
      }),
    )
  })

  it('is the same in any envelopes, as JSON, text or base64', () => {
    const base64 = (message: unknown) => Buffer.from(JSON.stringify(message)).toString('base64')
    const envelopes: ((message: unknown) => unknown)[] = [
      (message) => JSON.stringify(message),
      (message) => base64(message),
      (message) => [message],
      (message) => ({ Type: 'Notification', Message: JSON.stringify(message) }),
      (message) => ({
        Records: [
          { EventSource: 'aws:sns', Sns: { Type: 'Notification', Message: JSON.stringify(message) } },
        ],
      }),
      (message) => ({ Records: [{ messageId: '1', body: JSON.stringify(message), eventSource: 'aws:sqs' }] }),
      (message) => ({ messages: [{ id: '1', body: message }] }),
      (message) => ({ message: { data: base64(message), attributes: {} }, subscription: 's' }),
      (message) => ({ specversion: '1.0', type: 'other', data: message }),
      (message) => ({ specversion: '1.0', type: 'other', data_base64: base64(message) }),
    ]
    const nested = fc.array(fc.constantFrom(...envelopes), { maxLength: 3 })
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(created)), nested, (name, around) => {
        const message = JSON.parse(bodyOf(name))
        const wrapped = around.reduce((inner: unknown, envelope) => envelope(inner), message)
        expect(eventsOf(wrapped)).toEqual(eventsOf(message))
      }),
      { numRuns: 500 },
    )
  })

  it('is limited in nesting', () => {
    const wrapped = Array.from({ length: 30 }).reduce((inner: unknown) => [inner], { Records: [] })
    expect(refusalOf(wrapped)).toContain('is nested too deeply')
  })

  it.each([
    [
      'cloudflare-r2',
      'PutObject',
      ['CopyObject', 'CompleteMultipartUpload'],
      ['DeleteObject', 'LifecycleDeletion'],
    ],
    [
      'backblaze-b2',
      'b2:ObjectCreated:Upload',
      ['b2:ObjectCreated:Copy', 'b2:ObjectCreated:MultipartUpload', 'b2:ObjectCreated:Replica'],
      ['b2:ObjectDeleted:Delete', 'b2:HideMarkerCreated:Hide'],
    ],
    [
      'gcs-eventarc',
      'google.cloud.storage.object.v1.finalized',
      [],
      ['google.cloud.storage.object.v1.deleted', 'google.cloud.storage.object.v1.archived'],
    ],
    ['gcs-pubsub-push', 'OBJECT_FINALIZE', [], ['OBJECT_DELETE', 'OBJECT_ARCHIVE']],
    [
      'oracle-object-storage',
      'com.oraclecloud.objectstorage.createobject',
      ['com.oraclecloud.objectstorage.updateobject'],
      ['com.oraclecloud.objectstorage.deleteobject'],
    ],
    ['eventbridge', 'Object Created', [], ['Object Deleted']],
  ])('%s reports created and deleted images', (name, type, alsoCreated, removed) => {
    const as = (other: string) => eventsOf(JSON.parse(bodyOf(name).replace(type, other)))
    for (const other of alsoCreated) expect(as(other)).toMatchObject([{ removed: false }])
    for (const other of removed) expect(as(other)).toMatchObject([{ removed: true }])
    const others = {
      'cloudflare-r2': 'Other',
      'backblaze-b2': 'b2:MultipartUploadCreated:LiveRead',
      'gcs-eventarc': 'google.cloud.storage.object.v1.metadataUpdated',
      'gcs-pubsub-push': 'OBJECT_METADATA_UPDATE',
      'oracle-object-storage': 'com.oraclecloud.objectstorage.restoreobject',
      eventbridge: 'Object Tags Added',
    }
    expect(as(others[name as keyof typeof others])).toEqual([])
  })

  it('of Eventarc in the binary form has its type in the headers', () => {
    const { data, type } = JSON.parse(bodyOf('gcs-eventarc'))
    const headers = { 'content-type': 'application/json', 'ce-type': type, 'ce-specversion': '1.0' }
    expect(eventsOf(toStructured(data, headers))).toMatchObject([{ key: 'album/red kite+1%25.jpg' }])
    expect(refusalOf(toStructured(data, {}))).toContain('no known shape')
  })

  it('that a subscription has ended names no image', () => {
    expect(eventsOf({ Type: 'UnsubscribeConfirmation', Message: 'You have chosen to deactivate …' })).toEqual(
      [],
    )
  })

  it('keeps an image with an invalid size or etag', () => {
    const record = s3Record('a.jpg', 'ObjectCreated:Put', { size: 'large', eTag: 7 })
    expect(eventsOf({ Records: [record] })).toEqual([
      { bucket: 'photos', key: 'a.jpg', size: undefined, etag: undefined, removed: false },
    ])
  })
})

describe('text', () => {
  it('is JSON, with or without a byte order mark, or JSON in base64', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value)
        const read = JSON.parse(json)
        expect(parseText(json)).toEqual(read)
        expect(parseText(`\uFEFF${json}`)).toEqual(read)
        // Numbers and short words are valid base64 as well; objects and arrays are not.
        if (/^[[{]/.test(json)) expect(parseText(Buffer.from(json).toString('base64'))).toEqual(read)
      }),
    )
  })
})

describe('a notification through EventBridge', () => {
  const event = (type: string, key: string) => ({
    version: '0',
    'detail-type': type,
    source: 'aws.s3',
    detail: {
      version: '0',
      bucket: { name: 'photos' },
      object: { key, size: 3, etag: 'd41d', sequencer: '00' },
    },
  })

  it('names the image by its unencoded key', () => {
    expect(eventsOf(event('Object Created', 'a+b %41.jpg'))).toEqual([
      { bucket: 'photos', key: 'a+b %41.jpg', size: 3, etag: 'd41d', removed: false },
    ])
    expect(eventsOf(event('Object Deleted', 'a.jpg'))).toMatchObject([{ key: 'a.jpg', removed: true }])
  })

  it('of anything but a created or deleted image names none', () => {
    expect(eventsOf(event('Object Tags Added', 'a.jpg'))).toEqual([])
  })
})

describe('a notification through SNS', () => {
  const wrapped = (message: unknown) => ({
    Type: 'Notification',
    MessageId: '1',
    TopicArn: 'arn:aws:sns:eu-west-1:1:photos',
    Message: typeof message === 'string' ? message : JSON.stringify(message),
  })

  it('is unwrapped', () => {
    expect(keys(wrapped({ Records: [s3Record('a+b.jpg')] }))).toEqual(['a b.jpg'])
    expect(eventsOf(wrapped({ Service: 'Amazon S3', Event: 's3:TestEvent' }))).toEqual([])
  })

  it('with other content is refused', () => {
    expect(refusalOf(wrapped('hello'))).toContain('Message is not a JSON object')
  })
})
