import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { converterFolder, isConverterInstalled } from '../../src/models/converter'
import { plain } from '../helpers/images'
import { whisklens } from '../helpers/local-mode'
import { needs } from '../helpers/needs'
import { isFull } from './sizes'

/*
 * A small Keras network, trained here, through TensorFlow's converter. The converter is a download of 300 MB: it is
 * only installed at full size; otherwise it is used if present.
 */

const hasConverter = isConverterInstalled()

/** Learns which of red, green and blue dominates an image. */
const training = `
import json, sys
import numpy as np
import keras
keras.utils.set_random_seed(1)
L = keras.layers
model = keras.Sequential([
    keras.Input((16, 16, 3)),
    L.Conv2D(8, 3, strides=2, padding='same', use_bias=False), L.BatchNormalization(), L.ReLU(6.0),
    L.DepthwiseConv2D(3, padding='same', use_bias=False), L.BatchNormalization(), L.ReLU(6.0),
    L.Conv2D(8, 1, activation='relu'), L.GlobalAveragePooling2D(), L.Dense(3), L.Softmax(),
])
model.compile('adam', 'sparse_categorical_crossentropy')
rng = np.random.default_rng(1)
y = rng.integers(0, 3, 900)
x = rng.normal(0, .2, (900, 16, 16, 3)).astype('float32')
x[np.arange(900), :, :, y] += 1
model.fit(x, y, epochs=12, verbose=0)
model.save(sys.argv[1] + '/network.keras')
model.save(sys.argv[1] + '/network.h5')
model.export(sys.argv[1] + '/saved', verbose=False)
colours = np.eye(3, dtype='float32')[:, None, None, :] * np.ones((3, 16, 16, 3), 'float32')
json.dump(model.predict(colours, verbose=0).tolist(), open(sys.argv[1] + '/expected.json', 'w'))
`

/** CSS names of pure red, green and blue. */
const colours = ['red', 'lime', 'blue']

needs(!isFull && !hasConverter && 'the converter is not installed').describe('a network of Keras', () => {
  let folder: string
  /** Keras' own predictions per colour. */
  let expected: number[][]

  const run = (...args: string[]) => whisklens(args, { WHISKLENS_MODELS: join(folder, 'models') })

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'whisklens-keras-'))
    if (!hasConverter) expect(await run('model', 'convert', '--install')).toMatchObject({ code: 0 })
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '-1' }
    execFileSync(join(converterFolder(), 'bin', 'python'), ['-c', training, folder], {
      env,
      stdio: 'ignore',
    })
    expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
    writeFileSync(join(folder, 'colours.txt'), colours.join('\n'))
    for (const colour of colours)
      writeFileSync(join(folder, `${colour}.png`), await plain(16, 16, colour).png().toBuffer())
  }, 1_800_000)
  afterAll(() => rm(folder, { recursive: true }))

  it.each([
    ['network.keras', []],
    ['network.h5', []],
    ['saved', []],
    ['saved', ['--float16']],
  ])(
    '%s %j says what Keras said',
    async (name, flags) => {
      const output = join(folder, 'converted')
      rmSync(output, { recursive: true, force: true })
      const converted = await run('model', 'convert', join(folder, name), output, ...flags, '--quiet')
      expect(converted).toMatchObject({ code: 0, stderr: '' })
      const how = ['--labels', join(folder, 'colours.txt'), '--range', '0,1', '--id', 'colours', '--force']
      expect(await run('model', 'add', output, ...how)).toMatchObject({ code: 0, stdout: 'colours\n' })
      for (const [index, colour] of colours.entries()) {
        const { stdout } = await run(
          'classify',
          '--json',
          '--model',
          'colours',
          join(folder, `${colour}.png`),
        )
        const { labels } = JSON.parse(stdout) as {
          labels: { label: string; index: number; probability: number }[]
        }
        expect(labels[0]?.label).toBe(colour)
        for (const label of labels)
          expect(label.probability).toBeCloseTo(
            expected[index]?.[label.index] ?? Number.NaN,
            flags.includes('--float16') ? 2 : 4,
          )
      }
      expect(await run('model', 'verify', 'colours')).toMatchObject({ code: 0 })
    },
    300_000,
  )

  it('an invalid model is refused with TensorFlow’s message, and leaves nothing behind', async () => {
    const broken = join(folder, 'broken.keras')
    writeFileSync(broken, 'no zip')
    const { code, stderr } = await run('model', 'convert', broken, join(folder, 'nothing'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/error: ValueError: .*broken\.keras/)
    expect(existsSync(join(folder, 'nothing'))).toBe(false)
  }, 300_000)
})
