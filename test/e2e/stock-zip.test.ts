import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type ActionProcess, startActionProcess } from '../helpers/action-process'
import { heicFixture } from '../helpers/heic'
import { needs } from '../helpers/needs'
import { buildStock, stockMissing, stockZip } from '../helpers/stock-zip'

const root = join(__dirname, '..', '..')
const sample = (name: string) => readFileSync(join(root, 'samples', `${name}.jpg`)).toString('base64')

needs(stockMissing).describe('the zip for stock nodejs:20', () => {
  let action: ActionProcess
  let code: string

  beforeAll(async () => {
    code = buildStock()
    action = await startActionProcess()
    expect(await action.init(code)).toEqual({ OK: true })
  })

  afterAll(() => action.stop())

  it('fits OpenWhisk’s size limit', () => {
    const mebibytes = statSync(stockZip).size / 1024 / 1024
    process.stderr.write(`stock/classify.zip: ${mebibytes.toFixed(1)} MiB\n`)
    expect(code.length).toBeLessThan(48 * 1024 * 1024)
  })

  it.each([
    ['cat', 'tiger cat'],
    ['coffee', 'espresso'],
    ['rocket', 'missile'],
  ])('classifies %s', async (name, label) => {
    const { results } = (await action.run({ image: sample(name) })) as { results: { className: string }[] }
    expect(results).toHaveLength(3)
    expect(results[0]?.className).toContain(label)
  })

  it('includes the native decoder: it decodes more than JPEG', async () => {
    const png = readFileSync(join(root, 'samples', 'cat.jpg'))
    const { default: sharp } = await import('sharp')
    const image = (await sharp(png).png().toBuffer()).toString('base64')
    expect(await action.run({ image })).toMatchObject({
      results: [{ className: expect.stringContaining('cat') }, {}, {}],
    })
  })

  it('includes libheif: it decodes HEIC', async () => {
    const image = heicFixture('cat').toString('base64')
    expect(await action.run({ image })).toMatchObject({
      results: [{ className: expect.stringContaining('cat') }, {}, {}],
    })
  })

  it('is reproducible', () => {
    expect(buildStock()).toBe(code)
  })
})
