import { writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findEngine } from '../../src/classifier/engines'
import { labelledPhotos } from '../helpers/labelled-photos'
import { needs } from '../helpers/needs'
import { expectedOf, fixture, pattern } from '../helpers/onnx-fixtures'
import { run, temporaryFolder } from './cli-run'

const folder = temporaryFolder()
const whisklens = (...args: string[]) =>
  run(folder.path, args, {
    WHISKLENS_MODELS: join(folder.path, 'models'),
    NODE_PATH: [process.env.NODE_PATH, join(__dirname, '..', '..', 'node_modules')]
      .filter(Boolean)
      .join(delimiter),
  })

needs(findEngine('onnx').missing()).describe('an ONNX model', () => {
  it('from PyTorch is added by file, tested, verified, and classifies', async () => {
    const added = await whisklens(
      'model',
      'add',
      fixture('torch', 'cats.onnx'),
      '--id',
      'cats',
      '--license',
      'MIT',
    )
    expect(added).toMatchObject({ code: 0, stdout: 'cats\n' })
    const info = JSON.parse((await whisklens('model', 'info', 'cats', '--json')).stdout)
    expect(info).toMatchObject({ classes: 4, runsOn: ['onnx'], checksums: 2 })
    const checks = (await whisklens('model', 'verify', 'cats', '--json')).lines.map((line) =>
      JSON.parse(line),
    )
    expect(checks.map(({ name, state }) => [name, state])).toEqual(
      ['description', 'checksums', 'classes', 'network', 'engine onnx'].map((name) => [name, 'ok']),
    )
    expect(checks[3].detail).toMatch(/image \(FLOAT \[\S+, 3, 16, 16\]\) → logits/)
    writeFileSync(join(folder.path, 'pattern.png'), await pattern(16))
    const image = join(folder.path, 'pattern.png')
    const { lines } = await whisklens('classify', '--json', '--model', 'cats', '--engine', 'auto', image)
    const { labels, engine } = JSON.parse(lines[0] ?? '')
    expect(engine).toBe('onnx')
    for (const { index, probability } of labels)
      expect(probability).toBeCloseTo(expectedOf('torch')[index] ?? Number.NaN, 4)
  })

  it('that is quantized is taught, on the engine that it runs on', async () => {
    const added = await whisklens('model', 'add', fixture('handmade'), '--id', 'suits')
    expect(added).toMatchObject({ code: 0, stdout: 'suits\n' })
    await labelledPhotos(join(folder.path, 'pets'), ['cat', 'coffee'], 3)
    const taught = await whisklens('teach', 'pets', '--model', 'suits', '--engine', 'auto', '--quiet')
    expect({ code: taught.code, stderr: taught.stderr }).toEqual({ code: 0, stderr: '' })
    const info = JSON.parse((await whisklens('model', 'info', 'pets', '--json')).stdout)
    expect(info).toMatchObject({ classes: 2, runsOn: ['onnx'], input: { type: 'uint8', layout: 'nchw' } })
    const refused = await whisklens(
      'teach',
      'pets',
      '--model',
      'suits',
      '--engine',
      'wasm',
      '--name',
      'other',
    )
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/does not run on the engine "wasm".*onnx/s)
  }, 300_000)

  it('that is unsupported is refused with the reason, and is not converted', async () => {
    const refused = await whisklens('model', 'add', fixture('keras'), '--size', '224', '--range', '0,1')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /images of 12 × 12 pixels, expected 224.*image \(FLOAT \[\S+, 12, 12, 3\]\)/s,
    )
    const converted = await whisklens('model', 'convert', fixture('keras'), 'out')
    expect(converted.stderr).toMatch(/needs no conversion.*whisklens model add/s)
  })
})
