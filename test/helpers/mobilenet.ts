import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import type { Layers } from '../../bench/contestants/layers'
import { mobileNet } from '../../bench/contestants/mobilenet'
import { startTensorFlow } from '../../src/classifier/engines'
import { addModel } from '../../src/models/add'
import { needEntry } from '../../src/models/catalogue'

/* Google's MobileNetV1 0.25 as published: a TensorFlow.js layers model. The weights are random. */

const parents: string[] = []
export const removeMobileNets = (): void => {
  for (const parent of parents.splice(0)) rmSync(parent, { recursive: true })
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'whisklens-mobilenet-'))
  parents.push(folder)
  return folder
}

/** @returns folder of its model.json */
export async function writeLayersModel(): Promise<string> {
  await startTensorFlow('cpu')
  const folder = newFolder()
  const network = mobileNet(tf, layers as unknown as Layers, 0.25) as unknown as layers.LayersModel
  await network.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const manifest = [{ paths: ['group1-shard1of1'], weights: weightSpecs }]
      writeFileSync(join(folder, 'model.json'), JSON.stringify({ modelTopology, weightsManifest: manifest }))
      writeFileSync(join(folder, 'group1-shard1of1'), Buffer.from(weightData as ArrayBuffer))
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    }),
  )
  network.dispose()
  return folder
}

const unreachable = async (): Promise<never> => {
  throw new Error('was fetched')
}

/** Adds one like `whisklens model add`. @returns its folder */
export async function addMobileNet(): Promise<string> {
  // An id without a checksum in the catalogue.
  const id = 'mobilenet-v1-0.50-layers'
  const sources = { from: await writeLayersModel(), download: unreachable, npmPackage: unreachable }
  return addModel(id, (folder) => needEntry(id).write(folder, sources), {
    folder: join(newFolder(), id),
    warmUp: async () => {},
  })
}
