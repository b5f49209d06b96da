import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { InvalidInputError } from '../../src/errors'
import { publishedBeside, publishedInside } from '../../src/models/published'

const folder = mkdtempSync(join(tmpdir(), 'whisklens-published-'))
afterAll(() => rmSync(folder, { recursive: true }))
let count = 0

function beside(files: Record<string, unknown>, below = ''): string {
  const path = join(folder, `${count++}`)
  mkdirSync(join(path, below), { recursive: true })
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content))
  return join(path, below)
}

const imageNet = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] }
const image_mean = [0.485, 0.456, 0.406]
const image_std = [0.229, 0.224, 0.225]

describe('metadata published beside a model', () => {
  it('is read from timm', async () => {
    const cfg = { input_size: [3, 224, 224], interpolation: 'bicubic', mean: image_mean, std: image_std }
    const said = { size: 224, layout: 'nchw', kernel: 'cubic', ...imageNet }
    const config = { num_classes: 2, pretrained_cfg: { ...cfg, crop_pct: 0.875 }, label_names: ['a', 'b'] }
    expect(await publishedBeside(beside({ 'config.json': config }))).toEqual({
      ...{ ...said, shortSide: 256 },
      classes: [{ className: 'a' }, { className: 'b' }],
    })
    const squashed = { ...cfg, crop_pct: 0.875, crop_mode: 'squash' }
    expect(await publishedBeside(beside({ 'config.json': squashed }))).toEqual(said)
  })

  it.each([
    ['ViT', { size: { height: 224, width: 224 }, resample: 2 }, { size: 224, kernel: 'linear' }],
    [
      'ResNet',
      {
        size: { shortest_edge: 256 },
        do_center_crop: true,
        crop_size: { height: 224, width: 224 },
        resample: 3,
      },
      { size: 224, shortSide: 256, kernel: 'cubic' },
    ],
    [
      'ConvNeXT',
      { size: { shortest_edge: 224 }, crop_pct: 0.875, resample: 3 },
      { size: 224, shortSide: 256, kernel: 'cubic' },
    ],
    ['older files', { size: 224, resample: 1 }, { size: 224, kernel: 'lanczos3' }],
  ])('is read from transformers’ %s', async (_, preprocessor, said) => {
    const files = {
      'config.json': { id2label: { 1: 'dog', 0: 'cat' } },
      'preprocessor_config.json': {
        image_mean,
        image_std,
        rescale_factor: 0.00392156862745098,
        ...preprocessor,
      },
    }
    const expected = {
      layout: 'nchw',
      ...imageNet,
      ...said,
      classes: [{ className: 'cat' }, { className: 'dog' }],
    }
    expect(await publishedBeside(beside(files))).toEqual(expected)
    expect(await publishedBeside(beside(files, 'onnx'))).toEqual(expected)
  })

  it('is pixels of 0–255 or 0–1 without normalization', async () => {
    const raw = { size: 8, do_normalize: false, do_rescale: false }
    const ones = { size: 8, do_normalize: false }
    expect(await publishedBeside(beside({ 'preprocessor_config.json': raw }))).toMatchObject({
      mean: [0, 0, 0],
      std: [1, 1, 1],
    })
    expect(await publishedBeside(beside({ 'preprocessor_config.json': ones }))).toMatchObject({
      mean: [0, 0, 0],
      std: [255, 255, 255],
    })
  })

  it('is empty without such files, or with others of the same names', async () => {
    expect(await publishedBeside(beside({}))).toEqual({})
    expect(
      await publishedBeside(beside({ 'config.json': { port: 80 }, 'preprocessor_config.json': [] })),
    ).toEqual({})
    await expect(publishedBeside(beside({ 'config.json': '{' }))).rejects.toThrow(/config\.json is not JSON/)
    const gap = { 'config.json': { id2label: { 0: 'cat', 2: 'dog' } } }
    await expect(publishedBeside(beside(gap))).rejects.toThrow(/1 is missing/)
  })

  it('is parsed safely, whatever it contains', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.json(), async (config, preprocessor) => {
        const path = beside({ 'config.json': config, 'preprocessor_config.json': preprocessor })
        await publishedBeside(path).catch((thrown) => expect(thrown).toBeInstanceOf(InvalidInputError))
      }),
    )
  })
})

describe('metadata published in an ONNX model', () => {
  const inside = (properties: Record<string, string>) => publishedInside(new Map(Object.entries(properties)))

  it('includes the range of its pixels', () => {
    expect(inside({ 'Image.NominalPixelRange': 'Normalized_0_1' })).toEqual({ mean: 0, std: 255 })
    expect(inside({ 'Image.NominalPixelRange': 'Normalized_1_1' })).toEqual({ mean: 127.5, std: 127.5 })
    expect(inside({ 'Image.NominalPixelRange': 'NominalRange_0_255' })).toEqual({ mean: 0, std: 1 })
    expect(inside({ author: 'me' })).toEqual({})
    expect(() => inside({ 'Image.BitmapPixelFormat': 'Bgr8' })).toThrow(/Bgr8/)
  })

  it('includes its classes, as printed by Python or JSON', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/\p{C}/u.test(text))
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), (names) => {
        const classes = names.map((className) => ({ className }))
        const python = names.map((text, index) => {
          const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
          return `${index}: ${quote}${text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`
        })
        expect(inside({ names: `{${python.join(', ')}}` })).toEqual({ classes })
        expect(inside({ id2label: JSON.stringify({ ...names }) })).toEqual({ classes })
      }),
    )
  })
})
