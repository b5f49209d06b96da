import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPeerLibrary } from '../../src/classifier/tasks/peer-library'
import { descriptionSchema } from '../../src/model-folder/description'
import { peerLibraries } from '../../src/model-folder/peer-libraries'
import { cocoSsds } from '../../src/models/catalogue/coco-ssd'
import { faces } from '../../src/models/catalogue/faces'
import { describeWith } from '../helpers/peer-models'
import { writeSmallDetector } from '../helpers/small-detector'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-peer-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a separately installed library', () => {
  it('gets our modules for its dependencies, and its own for others', () => {
    mkdirSync(join(folder, 'library'))
    writeFileSync(
      join(folder, 'library', 'index.js'),
      "exports.ours = require('@tensorflow/tfjs'); exports.own = require('./own'); exports.path = require('path')",
    )
    writeFileSync(join(folder, 'library', 'own.js'), "module.exports = 'own'")
    const library = { name: join(folder, 'library'), version: '1.0.0', file: 'index.js' }
    const tf = { tensor: () => {} }
    const loaded = loadPeerLibrary<Record<string, unknown>>(library, { '@tensorflow/tfjs': tf })
    expect(loaded.ours).toBe(tf)
    expect(loaded.own).toBe('own')
    expect(loaded.path).toHaveProperty('join')
  })

  it('is reported missing with how to install it', () => {
    expect(() => loadPeerLibrary({ name: '@no/library', version: '1.2.3', file: 'index.js' }, {})).toThrow(
      expect.objectContaining({
        code: 'library_missing',
        message: expect.stringContaining('@no/library'),
        hint: 'Install it: npm install @no/library@1.2.3',
      }),
    )
  })
})

const unreachable = (): never => {
  throw new Error('was fetched')
}

describe('in the catalogue', () => {
  it('coco-ssd comes from a folder or from its public URL', async () => {
    const source = join(folder, 'source')
    writeSmallDetector(source)
    for (const entry of cocoSsds) {
      const asked: string[] = []
      const download = async (url: string) => {
        asked.push(url)
        return readFileSync(join(source, url.split('/').at(-1) ?? ''))
      }
      for (const from of [source, undefined]) {
        const target = mkdtempSync(join(folder, 'target-'))
        const description = await entry.write(target, { from, npmPackage: unreachable, download })
        expect(descriptionSchema.parse(description)).toMatchObject({ id: entry.id, task: 'detection' })
        expect(readdirSync(target).sort()).toEqual(['group1-shard1of1', 'labels.json', 'model.json'])
      }
      expect(asked).toEqual([
        expect.stringMatching(/^https:\/\/storage\.googleapis\.com\/.*\/model\.json$/),
        expect.stringMatching(/\/group1-shard1of1$/),
      ])
    }
  })

  it('coco-ssd is not a layers model', async () => {
    writeFileSync(join(folder, 'model.json'), JSON.stringify({ modelTopology: {}, weightsManifest: [] }))
    const sources = { from: folder, npmPackage: unreachable, download: unreachable }
    await expect(cocoSsds[0]?.write(folder, sources)).rejects.toThrow('graph-model')
  })

  describeWith(peerLibraries.cocoSsd, 'coco-ssd names what its library names', () => {
    it('with the same ids', async () => {
      const require = createRequire(__filename)
      const { CLASSES } = require('@tensorflow-models/coco-ssd/dist/classes.js') as {
        CLASSES: Record<string, { id: number; displayName: string }>
      }
      writeSmallDetector(folder)
      await cocoSsds[0]?.write(folder, { from: folder, npmPackage: unreachable, download: unreachable })
      expect(JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8'))).toEqual(
        Object.values(CLASSES).map(({ id, displayName }) => ({ id: String(id), className: displayName })),
      )
    })
  })

  it('faces come from the npm package of their library, pinned', async () => {
    const asked: string[][] = []
    mkdirSync(join(folder, 'model'))
    mkdirSync(join(folder, 'target'))
    for (const name of ['ssd_mobilenetv1_model', 'face_expression_model', 'age_gender_model', 'other']) {
      for (const end of ['.bin', '-weights_manifest.json'])
        writeFileSync(join(folder, 'model', name + end), name)
    }
    const npmPackage = async (...args: string[]) => {
      asked.push(args)
      return folder
    }
    const description = await faces.write(join(folder, 'target'), { npmPackage, download: unreachable })
    expect(descriptionSchema.parse(description)).toMatchObject({ id: 'faces', task: 'faces' })
    expect(asked).toEqual([['@vladmandic/face-api', '1.7.15', expect.stringMatching(/^sha512-/)]])
    expect(readdirSync(join(folder, 'target'))).toHaveLength(7)
  })
})
