import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { messageOf, WhisklensError } from '../src/errors'
import { readWheels, unpack, type Wheel } from './convert-efficientnet-lite/wheels'

// Rebuilds the photos in samples/. Origin and licences: samples/README.md.
// Usage: npx tsx scripts/fetch-samples.ts [outDir] [--wheels DIR]

const scikitImage: Wheel = {
  package: 'scikit-image',
  version: '0.26.0',
  file: 'scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl',
  sha256: '74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af',
  platform: { tag: 'manylinux_2_28_x86_64', python: '3.11', abi: 'cp311' },
}
const scikitLearn: Wheel = {
  package: 'scikit-learn',
  version: '1.9.1',
  file: 'scikit_learn-1.9.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl',
  sha256: '52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df',
  platform: { tag: 'manylinux_2_28_x86_64', python: '3.11', abi: 'cp311' },
}

interface Sample {
  name: string
  wheel: Wheel
  /** File in the wheel. JPEGs are copied byte for byte, PNGs converted. */
  source: string
  /** Of the resulting JPEG. */
  sha256: string
}

const samples: Sample[] = [
  {
    name: 'astronaut.jpg',
    wheel: scikitImage,
    source: 'skimage/data/astronaut.png',
    sha256: '5e9f8e44b9c0cbdcf7413e5595ff10fabaebceb02dc3c72610698300750eef62',
  },
  {
    name: 'camera.jpg',
    wheel: scikitImage,
    source: 'skimage/data/camera.png',
    sha256: '94d743d9689001fbb712f1850874aae03b0b2eee06dba833757757fe21215210',
  },
  {
    name: 'cat.jpg',
    wheel: scikitImage,
    source: 'skimage/data/chelsea.png',
    sha256: '336ffc6bd9c207c680bdeb4773c39b4db0df600c6447abe8329bdd0d314791c1',
  },
  {
    name: 'coffee.jpg',
    wheel: scikitImage,
    source: 'skimage/data/coffee.png',
    sha256: '2ed07deda54ae5d67bb2a837bebe71c6fffcbeb9327d2be9fedecda2cd1696cd',
  },
  {
    name: 'flower.jpg',
    wheel: scikitLearn,
    source: 'sklearn/datasets/images/flower.jpg',
    sha256: 'a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638',
  },
  {
    name: 'galaxies.jpg',
    wheel: scikitImage,
    source: 'skimage/data/hubble_deep_field.jpg',
    sha256: '3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4',
  },
  {
    name: 'palace.jpg',
    wheel: scikitLearn,
    source: 'sklearn/datasets/images/china.jpg',
    sha256: '8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29',
  },
  {
    name: 'rocket.jpg',
    wheel: scikitImage,
    source: 'skimage/data/rocket.jpg',
    sha256: 'c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c',
  },
]

/** Full chroma: at these sizes, subsampling costs more detail than it saves bytes. Grey images stay grey. */
async function toJpeg(png: Uint8Array): Promise<Uint8Array> {
  const { channels } = await sharp(png).metadata()
  return sharp(png)
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .jpeg({ quality: 92, chromaSubsampling: '4:4:4' })
    .toBuffer()
}

async function make({ name, source, sha256 }: Sample, wheel: Uint8Array): Promise<Uint8Array> {
  const [original = new Uint8Array()] = unpack(wheel, [source])
  const jpeg = source.endsWith('.png') ? await toJpeg(original) : original
  const digest = createHash('sha256').update(jpeg).digest('hex')
  if (digest !== sha256) {
    throw new WhisklensError(
      'wrong_checksum',
      `Expected ${name} to have the SHA-256 ${sha256}, it has ${digest}`,
      {
        hint: 'Another version of sharp encodes differently; use the one in package-lock.json.',
      },
    )
  }
  return jpeg
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { wheels: { type: 'string' } },
  })
  const [folder = 'samples'] = positionals
  const wheels = [scikitImage, scikitLearn]
  const bytes = await readWheels(wheels, values.wheels)
  await mkdir(folder, { recursive: true })
  for (const sample of samples) {
    const jpeg = await make(sample, bytes.get(sample.wheel) ?? new Uint8Array())
    await writeFile(join(folder, sample.name), jpeg)
    console.error(`${join(folder, sample.name)}: ${jpeg.length.toLocaleString('en')} bytes`)
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error))
  if (error instanceof WhisklensError && error.hint) console.error(error.hint)
  process.exitCode = 1
})
