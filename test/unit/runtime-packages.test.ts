import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { peerLibraries } from '../../src/model-folder/peer-libraries'

const read = (...path: string[]) => JSON.parse(readFileSync(join(__dirname, '..', '..', ...path), 'utf8'))

const { dependencies, devDependencies } = read('runtime', 'package.json')

it('the runtime image has the packages of this version, each locked', () => {
  const own = read('package.json')
  const versions = {
    ...own.devDependencies,
    ...own.peerDependencies,
    ...own.optionalDependencies,
    ...own.dependencies,
  }
  const tfjs = versions['@tensorflow/tfjs-core']
  expect(dependencies).toEqual({
    '@tensorflow-models/mobilenet': peerLibraries.mobilenet.version,
    '@tensorflow/tfjs': tfjs,
    '@tensorflow/tfjs-node': tfjs,
    'jpeg-js': versions['jpeg-js'],
    'libheif-js': versions['libheif-js'],
    'onnxruntime-node': versions['onnxruntime-node'],
    sharp: versions.sharp,
  })
  const locked = read('runtime', 'package-lock.json').packages
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect(locked[`node_modules/${name}`]).toMatchObject({
      version,
      integrity: expect.stringContaining('sha512-'),
    })
  }
})

it('has one TensorFlow.js, shared by all its packages', () => {
  const paths = Object.keys(read('runtime', 'package-lock.json').packages)
  const copies = paths.filter((path) => path.endsWith('@tensorflow/tfjs-core'))
  expect(copies).toEqual(['node_modules/@tensorflow/tfjs-core'])
})
