import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import * as z from 'zod'
import {
  chunkSchema,
  describeSchema,
  inlineSchema,
  listSchema,
  modelSchema,
} from '../../src/batch/classify/messages'
import { classifiedSchema } from '../../src/batch/running/aggregate'
import { batchRequestSchema, imageRefSchema, recordSchema, summarySchema } from '../../src/schema'
import { registrationSchema } from '../../src/storage/feeds'
import { requestSchema as feedSchema } from '../../triggers/bucket-feed'
import { exampleRecord, exampleSummary } from './examples'
import { example, fieldTable, type Links, parameterTable } from './fields'
import { block, code, generatedBy, json, page, table } from './markdown'

/*
 * actions.md.
 */

/** What is said of an action of the manifest. */
interface Section {
  kind: string
  purpose: string
  text: string[]
}

const value = (given: unknown): string =>
  typeof given === 'string' ? given : typeof given === 'object' ? `'${JSON.stringify(given)}'` : String(given)

/** The call of `wsk` with parameters. @throws Error where the schema refuses them */
function wsk<T extends object>(call: string, schema: z.ZodType<T>, params: z.input<z.ZodType<T>>): string {
  schema.parse(params)
  const given = Object.entries(params as object).map(([name, one]) => ` --param ${name} ${value(one)}`)
  return call + given.join('')
}

const invoke = (action: string) => `wsk action invoke whisklens/${action} --result`
const fire = 'wsk trigger fire batch-requested'

const byKeySchema = imageRefSchema.pick({ bucket: true, key: true })
const oneImage = { bucket: 'images', key: 'photos/cat.jpg' }

const links: Links = new Map()
  .set(recordSchema, '[records](records.md#record)')
  .set(imageRefSchema, '[images](#images-of-the-object-store)')

const answer = (given: object): string => block('json', json(given))

const sections: Record<string, Section> = {
  classify: {
    kind: 'action',
    purpose:
      'Classifies images and answers with their records. It stores no records: `classify-images` does.',
    text: [
      'It takes one of these messages. `model` goes with each of them:',
      parameterTable(z.object({ model: modelSchema })),
      '### One image in the message',
      parameterTable(inlineSchema),
      block(
        'sh',
        `printf '{"image": "%s"}' "$(base64 < cat.jpg | tr -d '\\n')" > image.json
${invoke('classify')} --param-file image.json`,
      ),
      'The answer has the three most probable labels:',
      answer({
        results: exampleRecord.labels
          .slice(0, 3)
          .map(({ className, probability }) => ({ className, probability })),
      }),
      '### Images of the object store',
      parameterTable(listSchema),
      block(
        'sh',
        [
          wsk(invoke('classify'), listSchema, { images: [oneImage] }),
          wsk(invoke('classify'), byKeySchema, oneImage),
        ].join('\n'),
      ),
      `\`bucket\` and \`key\` may stand alone for one image, and a notification of a bucket for the images that it names
([events.md](../events.md) lists the senders). The answer:`,
      fieldTable(classifiedSchema.pick({ images: true, rest: true, spent: true }), links),
      '### The model',
      parameterTable(describeSchema),
      block('sh', wsk(invoke('classify'), describeSchema, { describe: true })),
      answer({ model: exampleRecord.model, engine: 'onnx', decoder: 'sharp 0.35.5' }),
      '### A piece of a batch',
      'Batches send this message; it needs a chunk that the batch has planned.',
      parameterTable(chunkSchema),
      'The answer has `batch`, `part` and `images`, or `failure` ([aggregate](#aggregate)).',
    ],
  },
  aggregate: {
    kind: 'action',
    purpose:
      'Stores the records that `classify` answered with, adds them to their batch and resumes the batch. Repeating it changes nothing.',
    text: [
      `The second action of \`classify-images\`. A message with \`results\`, the answer to one image in a message, passes unchanged.`,
      parameterTable(classifiedSchema, links),
      block(
        'sh',
        `${invoke('classify')} --param bucket images --param key photos/cat.jpg > classified.json
${invoke('aggregate')} --param-file classified.json`,
      ),
      'The answer has the batches that got the records, and numbers of records; `next` is the activation that classifies the `rest`.',
      answer({ batches: ['uploads-2026-11-22'], records: { ok: 1, error: 0 } }),
    ],
  },
  'classify-images': {
    kind: 'sequence',
    purpose: '`classify`, then `aggregate`: classifies images and stores their records.',
    text: [
      'It takes the messages of [classify](#classify) and answers as [aggregate](#aggregate) does. The rule `on-image-uploaded` starts it.',
      block('sh', wsk(invoke('classify-images'), listSchema, { images: [oneImage] })),
    ],
  },
  'start-batch': {
    kind: 'action',
    purpose: 'Plans a batch, dispatches it to `classify-images` and follows it until it is closed.',
    text: [
      `Fire the trigger \`batch-requested\` to start it: the rule \`on-batch-requested\` passes the parameters on. A parameter that is not
listed is an error. Booleans and numbers may be text. \`advance\` and \`failed\` are for its own invocations.`,
      parameterTable(batchRequestSchema),
      block(
        'sh',
        [
          wsk(fire, batchRequestSchema, { prefix: 'photos/', batch: 'spring', force: true }),
          wsk(fire, batchRequestSchema, {
            prefix: ['photos/', 'scans/'],
            newerThan: '7d',
            format: 'jpeg,png',
          }),
          wsk(fire, batchRequestSchema, { prefix: 'photos/', sample: '50%', limit: 1000, maxErrors: '5%' }),
          wsk(invoke('start-batch'), batchRequestSchema, { prefix: 'photos/', dryRun: true }),
          wsk(invoke('start-batch'), batchRequestSchema, { poll: '/guest/image-uploaded' }),
        ].join('\n'),
      ),
      `The answer is the [summary](records.md#summary) of the batch at the end of the activation; the batch may still be open, as other
activations continue it. With \`dryRun\`, \`totals\`, \`gbSeconds\` and \`cost\` are what the batch would come to:`,
      block(
        'json',
        example(summarySchema, {
          ...exampleSummary,
          state: 'planning',
          engine: null,
          totals: { listed: 1200, planned: 1000, skipped: 200, ok: 0, error: 0, pending: 1000 },
          labels: [],
          errors: {},
          timings: {
            p50: { download: 0, decode: 0, infer: 0 },
            p95: { download: 0, decode: 0, infer: 0 },
          },
          imagesPerSecond: 0,
          containers: 0,
          exact: false,
          endedAt: null,
        }),
        'check: summary',
      ),
      '`reconcile` and `poll` answer with the batches that they resumed, and with the day of uploads that compares the buckets with the records; a `message` says why none does.',
      answer({ resumed: [], batch: 'uploads-2026-11-22' }),
    ],
  },
  'bucket-feed': {
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
  },
  'bucket-events': {
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
          [200, 'The notification was accepted, or is about something other than new or removed objects.'],
          [400, '`event_unknown`: nothing in the body is understood.'],
          [401, '`unauthorized`: the token is missing or wrong.'],
          [405, '`method_not_allowed`: the method is not `POST`.'],
        ],
      ),
    ],
  },
  results: {
    kind: 'web action',
    purpose: 'Answers with batches, records and exports, and serves the gallery.',
    text: ['[http.md](http.md#results) has its parameters.'],
  },
  predict: {
    kind: 'web action',
    purpose: 'Classifies an uploaded image, as the models of the Model Asset eXchange (MAX) do.',
    text: ['[http.md](http.md#predict) has its paths and parameters.'],
  },
}

/** What of the manifest is read. */
interface Manifest {
  project: {
    packages: {
      whisklens: {
        actions: Record<string, { limits?: { timeout: number; memorySize: number } }>
        sequences: Record<string, object>
      }
    }
  }
}

const manifest = parse(readFileSync(join(__dirname, '..', '..', 'manifest.yaml'), 'utf8')) as Manifest
const { actions, sequences } = manifest.project.packages.whisklens

/** @throws Error for an action of the manifest that is not described */
function sectionOf(name: string): Section {
  const section = sections[name]
  if (section) return section
  throw new Error(`The action "${name}" of manifest.yaml is not described`)
}

const names = [...Object.keys(actions), ...Object.keys(sequences)]

export const actionsPage = (): string =>
  page(
    '# Actions',
    generatedBy('`manifest.yaml` and the schemas of the actions'),
    `The actions of the package \`whisklens\`, what they take and what they answer. The examples are for the local mode with its namespace
\`guest\`, and for these photos:`,
    block('sh', 'whisklens upload photos/ --prefix photos/'),
    table(
      ['action', 'kind', 'timeout', 'memory', 'purpose'],
      names.map((name) => {
        const { timeout = 60_000, memorySize = 256 } = actions[name]?.limits ?? {}
        const limits = name in actions ? [`${timeout / 1000} s`, `${memorySize} MB`] : ['', '']
        return [`[${name}](#${name})`, sectionOf(name).kind, ...limits, sectionOf(name).purpose]
      }),
    ),
    `The settings of the deployment are inputs of the package ([settings.md](settings.md)); the platform refuses an invocation that sets one.
An action that fails answers with ${code('{"error": "<message> (<code>). <hint>"}')} ([errors.md](errors.md)), a web action with
${code('{"error": {"code", "message", "hint"}}')} and an HTTP status.`,
    ...names.flatMap((name) => [`## ${name}`, sectionOf(name).purpose, ...sectionOf(name).text]),
  )
