import * as z from 'zod'
import {
  chunkSchema,
  describeSchema,
  inlineSchema,
  listSchema,
  modelSchema,
} from '../../../src/batch/classify/messages'
import { classifiedSchema } from '../../../src/batch/running/aggregate'
import { imageRefSchema } from '../../../src/schema'
import { exampleRecord } from '../examples'
import { fieldTable, parameterTable } from '../fields'
import { block } from '../markdown'
import { answer, invoke, links, oneImage, type Section, wsk } from './section'

const byKeySchema = imageRefSchema.pick({ bucket: true, key: true })

export const classify: Section = {
  kind: 'action',
  purpose: 'Classifies images and answers with their records. It stores no records: `classify-images` does.',
  text: [
    'It takes one of these messages. `model` goes with each of them:',
    parameterTable(z.object({ model: modelSchema })),
    '### One image in the message',
    parameterTable(inlineSchema),
    block(
      'sh',
      `printf '{"image": "%s"}' "$(base64 < samples/cat.jpg | tr -d '\\n')" > image.json
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
}

export const classifyImages: Section = {
  kind: 'sequence',
  purpose: '`classify`, then `aggregate`: classifies images and stores their records.',
  text: [
    'It takes the messages of [classify](#classify) and answers as [aggregate](#aggregate) does. The rule `on-image-uploaded` starts it.',
    block('sh', wsk(invoke('classify-images'), listSchema, { images: [oneImage] })),
  ],
}
