import { block, table } from '../markdown'
import { answer, type Section } from './section'

export const bucketEvents: Section = {
  kind: 'web action',
  purpose: 'Receives notifications of buckets and fires the triggers that watch them.',
  text: [
    '`POST` with the token as `Authorization: Bearer TOKEN`, as the bare token in that header, or as `?token=TOKEN`, and a notification as the body. [events.md](../events.md) lists the senders.',
    block(
      'sh',
      `token=$(node -p 'require("./.whisklens/secrets.json").eventsToken')
curl -s -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \\
  -d '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "images"}, "object": {"key": "photos/cat.jpg"}}}]}' \\
  http://127.0.0.1:3233/api/v1/web/guest/whisklens/bucket-events`,
      'prints: "received":1',
    ),
    'The answer counts the objects of the notification, the new images among them, and the fires. `refused` lists up to ten parts that are not valid.',
    answer({ received: 1, images: 1, fired: 1 }),
    table(
      ['status', 'when'],
      [
        [200, 'The notification was accepted, or has no created or removed objects.'],
        [400, '`event_unknown`: the format of the body is unknown.'],
        [401, '`unauthorized`: the token is missing or wrong.'],
        [405, '`method_not_allowed`: the method is not `POST`.'],
      ],
    ),
  ],
}
