import { type Gallery, openGallery } from '../../src/web/gallery/data/gallery'
import { type TestBrowser, testBrowser } from '../helpers/gallery-browser'
import { sample } from '../helpers/images'
import { newDataDir, type RunningLocal, removeDataDir, startLocalMode } from '../helpers/local-mode'

/* Use of the local mode's secret by the gallery's data, against the running system. */

let dataDir: string
let local: RunningLocal
let browser: TestBrowser
let gallery: Gallery

beforeAll(async () => {
  dataDir = await newDataDir()
  local = await startLocalMode(dataDir)
})
afterAll(async () => {
  await local.stop()
  await removeDataDir(dataDir)
})
beforeEach(() => open(local.connection.gallery))
afterEach(async () => {
  await browser.idle()
  gallery.close()
})

const open = (address: string) => {
  browser = testBrowser(address)
  gallery = openGallery(browser)
}
const blobOf = (name: string) => new Blob([new Uint8Array(sample(name))], { type: 'image/jpeg' })
const keys = () => [...gallery.result.value.rows].map((row) => gallery.rows.record(row)?.key)

describe('the gallery of a local Whisklens', () => {
  it('uploads dropped files, opens the batch of the day, and shows results as they arrive', async () => {
    await browser.until(() => gallery.batches.state.value.is === 'empty')
    gallery.local?.upload([
      { name: 'coffee.jpg', file: blobOf('coffee') },
      { name: 'zoo/chelsea & co.jpg', file: blobOf('astronaut') },
      { name: 'broken.jpg', file: new Blob(['no image']) },
    ])
    expect(gallery.local?.uploads.value.map(({ key }) => key)).toContain('zoo/chelsea & co.jpg')
    gallery.rows.want(0, 40)
    await browser.until(() => gallery.result.value.rows.length === 3)
    expect(gallery.batches.chosen.value).toMatch(/^uploads-/)
    await browser.until(() => keys().every((key) => key !== undefined))
    expect(keys()).toEqual(['photos/broken.jpg', 'photos/coffee.jpg', 'zoo/chelsea & co.jpg'])
    expect(gallery.result.value.codes).toEqual([{ name: 'image_unsupported', count: 1 }])
    const { uploads, clearUploads } = gallery.local ?? {}
    expect(uploads?.value.every(({ state, sent, bytes }) => state === 'done' && sent === bytes)).toBe(true)
    clearUploads?.()
    expect(uploads?.value).toEqual([])
  })

  it('fires a prefix again, and opens the new batch', async () => {
    await gallery.local?.fire('zoo/')
    await browser.until(() => gallery.batch.summary.value?.state === 'complete')
    expect(gallery.batches.chosen.value).not.toMatch(/^uploads-/)
    gallery.rows.want(0, 40)
    await browser.until(() => keys()[0] !== undefined)
    expect(keys()).toEqual(['zoo/chelsea & co.jpg'])
    expect(gallery.local?.problem.value).toBeUndefined()
  })

  it('reports a fired batch that does not start', async () => {
    browser.answer((url) =>
      url.pathname === '/local/batches' ? Response.json({ batch: 'never' }, { status: 202 }) : undefined,
    )
    await gallery.local?.fire('photos/')
    await browser.until(() => gallery.local?.problem.value !== undefined, 100)
    expect(gallery.local?.problem.value).toMatchObject({ code: 'not_begun' })
  })

  it('reports a failed upload, and retries it', async () => {
    gallery.close()
    open(local.connection.gallery.replace(/owner=.*/, 'owner=wrong'))
    gallery.local?.upload([{ name: 'coffee.jpg', file: blobOf('coffee') }])
    const failed = () => gallery.local?.uploads.value.filter(({ state }) => state === 'failed') ?? []
    await browser.until(() => failed().length === 1)
    expect(failed()[0]?.problem?.message).toBeTruthy()
    gallery.local?.retryUploads()
    expect(failed()).toEqual([])
    await browser.until(() => failed().length === 1)
    await gallery.local?.fire('photos/')
    expect(gallery.local?.problem.value?.message).toBeTruthy()
    gallery.local?.clearUploads()
    expect(gallery.local?.uploads.value).toEqual([])
    expect(gallery.local?.problem.value).toBeUndefined()
  })

  it('is unavailable without the secret', () => {
    gallery.close()
    open(local.connection.gallery.replace(/#.*/, ''))
    expect(gallery.local).toBeUndefined()
  })
})
