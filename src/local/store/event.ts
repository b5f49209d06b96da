import type { Numbered } from './bucket'
import { encodedPath } from './request'

/** Journal lines that notifications report. */
export type Event = Extract<Numbered, { put: unknown } | { remove: unknown }>

function recordOf(event: Event, bucket: string, region: string) {
  const key = 'put' in event ? event.put.key : event.remove
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: region,
    eventTime: new Date('put' in event ? event.put.modified : event.at).toISOString(),
    eventName: 'put' in event ? `ObjectCreated:${event.put.via}` : 'ObjectRemoved:Delete',
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'whisklens',
      bucket: { name: bucket, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: encodedPath(key).replaceAll('%20', '+'),
        ...('put' in event ? { size: event.put.size, eTag: event.put.etag } : {}),
        sequencer: event.n.toString(16).toUpperCase().padStart(16, '0'),
      },
    },
  }
}

/** Notification body of S3 servers; the key outside the records is not encoded. */
export function eventBody(events: Event[], bucket: string, region: string): string {
  const Records = events.map((event) => recordOf(event, bucket, region))
  const [first] = events
  const key = first && ('put' in first ? first.put.key : first.remove)
  return JSON.stringify({ EventName: `s3:${Records[0]?.eventName}`, Key: `${bucket}/${key}`, Records })
}
