import * as z from 'zod'
import { registrationSchema } from '../../../src/storage/feeds'
import { requestSchema as feedSchema } from '../../../triggers/bucket-feed'
import { example, fieldTable, parameterTable } from '../fields'
import { block } from '../markdown'
import { type Section, wsk } from './section'

export const bucketFeed: Section = {
  kind: 'feed',
  purpose: 'Registers a trigger for the new images of a bucket.',
  text: [
    '`wsk trigger` invokes it and passes `lifecycleEvent`, `triggerName` and the key of the namespace.',
    parameterTable(feedSchema),
    block(
      'sh',
      `${wsk('wsk trigger create holidays --feed whisklens/bucket-feed', feedSchema.pick({ bucket: true, prefix: true }), { bucket: 'images', prefix: 'holidays/' })}
wsk rule create on-holidays holidays whisklens/classify-images
wsk trigger get holidays
${wsk('wsk trigger update holidays', feedSchema.pick({ minutes: true }), { minutes: 0 })}
wsk trigger delete holidays`,
    ),
    'The answer is the registration, and in `polling` whether the bucket is polled:',
    fieldTable(registrationSchema),
    block(
      'json',
      example(registrationSchema.extend({ polling: z.boolean() }), {
        trigger: '/guest/holidays',
        bucket: 'images',
        prefix: 'holidays/',
        paused: false,
        createdAt: '2026-11-22T07:30:00.104Z',
        since: '2026-11-22T07:29:00.104Z',
        minutes: 10,
        settle: 10,
        polling: true,
      }),
    ),
  ],
}
