import { parseEvent } from '../../src/storage/events'

const recordOf = (eventName: string) => ({
  eventName,
  s3: { bucket: { name: 'images' }, object: { key: 'a.jpg', size: 5, eTag: 'e' } },
})

describe('an event caused by a tag', () => {
  it.each([
    's3:ObjectTagging:Put',
    's3:ObjectTagging:Delete',
    'ObjectTagging:Put',
    // MinIO's names, included in a subscription to puts.
    's3:ObjectCreated:PutTagging',
    's3:ObjectCreated:DeleteTagging',
    'ObjectCreated:PutTagging',
    's3:ObjectCreated:PutRetention',
    's3:ObjectCreated:PutLegalHold',
    's3:ObjectAccessed:GetTagging',
    's3:ObjectAcl:Put',
  ])('is not about a new image: %s', (eventName) => {
    expect(parseEvent({ Records: [recordOf(eventName), recordOf('ObjectCreated:Put')] }).events).toHaveLength(
      1,
    )
    expect(parseEvent({ Records: [recordOf(eventName)] })).toEqual({ events: [], refused: [] })
  })

  it('is not about one through EventBridge either', () => {
    const detail = { bucket: { name: 'images' }, object: { key: 'a.jpg' } }
    expect(parseEvent({ source: 'aws.s3', 'detail-type': 'Object Tags Added', detail })).toEqual({
      events: [],
      refused: [],
    })
  })

  it.each(['Put', 'Post', 'Copy', 'CompleteMultipartUpload'])('is none of an image that came: %s', (how) => {
    expect(parseEvent({ Records: [recordOf(`s3:ObjectCreated:${how}`)] }).events).toHaveLength(1)
  })
})
