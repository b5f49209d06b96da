import fc from 'fast-check'
import { parseEvent } from '../../src/storage/events'
import { anyKey } from './batch-fixtures'

/** How S3 writes a key in an event: as in a form, `+` for a space. */
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

const keys = (message: unknown) => parseEvent(message)?.map(({ key }) => key)

describe('an S3 notification', () => {
  it('of AWS names the image', () => {
    expect(parseEvent({ Records: [s3Record('happy+face%21.jpg')] })).toEqual([
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
    expect(parseEvent(message)).toMatchObject([{ bucket: 'photos', key: 'x/a b.jpg', removed: false }])
  })

  it('of Versity has the key as it stood in the request, and null for what it does not know', () => {
    const versity = { ...s3Record('x/a%20b.jpg', 's3:ObjectCreated:Put', { versionId: null, eTag: null }) }
    expect(parseEvent({ Records: [{ ...versity, glacierEventData: {} }] })).toEqual([
      { bucket: 'photos', key: 'x/a b.jpg', size: 3, etag: undefined, removed: false },
    ])
    const removed = s3Record('a.jpg', 's3:ObjectRemoved:Delete', { size: 0, eTag: null, versionId: null })
    expect(parseEvent({ Records: [removed] })).toMatchObject([{ key: 'a.jpg', removed: true }])
  })

  it('of an upload in parts or of a copy is one of an image too', () => {
    for (const name of [
      'ObjectCreated:CompleteMultipartUpload',
      's3:ObjectCreated:Copy',
      'ObjectCreated:Post',
    ]) {
      expect(parseEvent({ Records: [s3Record('a.jpg', name)] })).toMatchObject([{ removed: false }])
    }
  })

  it('tells that an image went', () => {
    for (const name of ['ObjectRemoved:Delete', 's3:ObjectRemoved:DeleteMarkerCreated']) {
      expect(parseEvent({ Records: [s3Record('a.jpg', name)] })).toMatchObject([{ removed: true }])
    }
  })

  it('passes over what is neither', () => {
    const names = ['ObjectRestore:Post', 's3:ObjectTagging:Put', 's3:ReducedRedundancyLostObject']
    expect(parseEvent({ Records: names.map((name) => s3Record('a.jpg', name)) })).toEqual([])
  })

  it('can hold many images, in the order of the message', () => {
    expect(keys({ Records: ['c', 'a', 'b'].map((key) => s3Record(key)) })).toEqual(['c', 'a', 'b'])
  })

  it('can carry an etag in quotes', () => {
    const message = { Records: [s3Record('a', 'ObjectCreated:Put', { eTag: '"abc"' })] }
    expect(parseEvent(message)).toMatchObject([{ etag: 'abc' }])
  })

  it('that is a test of the connection names no image', () => {
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
    for (const message of [aws, versity, { Records: [] }]) expect(parseEvent(message)).toEqual([])
  })
})

describe('the key in an S3 notification', () => {
  it('reads back whatever it holds: +, %, spaces, emoji', () => {
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

  it('stays as it is when its sender did not encode it', () => {
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

  it('names the image by its key as it is', () => {
    expect(parseEvent(message)).toEqual([
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

  it('says what it knows where the file is left out', () => {
    expect(parseEvent({ ...message, file: undefined })).toMatchObject([
      { etag: '4cf6d2b4b1d3e4e9', size: 31_337, lastModified: undefined },
    ])
    expect(parseEvent({ bucket: 'photos', key: 'a.jpg' })).toMatchObject([{ bucket: 'photos', key: 'a.jpg' }])
  })

  it('tells that an image went', () => {
    expect(parseEvent({ ...message, status: 'deleted', file: {} })).toMatchObject([{ removed: true }])
  })
})

describe('any other message', () => {
  it('is none of a bucket', () => {
    for (const message of [{}, { images: [] }, { Records: 'none' }, { Records: [{}] }, null, 7, 'text', []]) {
      expect(parseEvent(message)).toBeUndefined()
    }
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (message) => {
        parseEvent(message)
      }),
      { numRuns: 2000 },
    )
  })

  it('never throws, and names no image without a key, though it looks like a notification', () => {
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
    fc.assert(
      fc.property(fc.oneof(s3, cos), (message) => {
        for (const { bucket, key } of parseEvent(message) ?? []) {
          expect(bucket).not.toBe('')
          expect(key).not.toBe('')
        }
      }),
      { numRuns: 2000 },
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

  it('names the image as it is, for there keys are not encoded', () => {
    expect(parseEvent(event('Object Created', 'a+b %41.jpg'))).toEqual([
      { bucket: 'photos', key: 'a+b %41.jpg', size: 3, etag: 'd41d', removed: false },
    ])
    expect(parseEvent(event('Object Deleted', 'a.jpg'))).toMatchObject([{ key: 'a.jpg', removed: true }])
  })

  it('of anything but a coming or going image names none', () => {
    expect(parseEvent(event('Object Tags Added', 'a.jpg'))).toEqual([])
  })
})

describe('a notification through SNS', () => {
  const wrapped = (message: unknown) => ({
    Type: 'Notification',
    MessageId: '1',
    TopicArn: 'arn:aws:sns:eu-west-1:1:photos',
    Message: typeof message === 'string' ? message : JSON.stringify(message),
  })

  it('is what it wraps', () => {
    expect(keys(wrapped({ Records: [s3Record('a+b.jpg')] }))).toEqual(['a b.jpg'])
    expect(parseEvent(wrapped({ Service: 'Amazon S3', Event: 's3:TestEvent' }))).toEqual([])
  })

  it('that wraps something else is none', () => {
    expect(parseEvent(wrapped('hello'))).toBeUndefined()
  })
})
