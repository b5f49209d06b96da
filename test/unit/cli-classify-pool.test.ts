import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ClassifyPool, openPool } from '../../src/library/classify/pool'
import { temporaryFolder } from './cli-run'

const folder = temporaryFolder()
let pool: ClassifyPool | undefined

afterEach(() => pool?.close())

/** A pool whose workers run the given code. */
async function poolOf(code: string, threads = 2): Promise<ClassifyPool> {
  const worker = join(folder.path, `worker-${Math.random().toString(36).slice(2)}.cjs`)
  await writeFile(worker, code)
  pool = openPool(worker, threads)
  return pool
}

const task = (image: string) => ({ image, model: 'm', engine: 'e', top: 5 })

const obedient = `module.exports = (tasks) => Promise.all(tasks.map(classify))
async function classify({ image }) {
  await new Promise((resolve) => setTimeout(resolve, 5))
  if (image === 'exit') process.exit(1)
  if (image === 'throw') setImmediate(() => { throw new Error('uncaught') })
  if (image === 'memory') { const all = []; for (;;) all.push(new Array(1e6).fill(Math.random())) }
  if (image === 'throw') await new Promise(() => {})
  return { classified: { labels: [{ label: image }] } }
}`

describe('a pool of workers', () => {
  it.each(['exit', 'throw'])('makes only the image that crashes its worker (%s) an error', async (fatal) => {
    const { run } = await poolOf(obedient)
    const images = Array.from({ length: 30 }, (_, n) => (n === 7 || n === 20 ? fatal : `image ${n}`))
    const answers = await Promise.all(images.map((image) => run(task(image))))
    answers.forEach((answer, n) => {
      if (images[n] === fatal) expect(answer.error).toMatchObject({ code: 'internal' })
      else expect(answer.classified?.labels[0]?.label).toBe(images[n])
    })
  })

  it('starts more workers on demand', async () => {
    const worker = join(folder.path, 'thread.cjs')
    await writeFile(
      worker,
      `module.exports = async (tasks) => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        return tasks.map(() => ({ classified: { labels: [{ label: require('node:worker_threads').threadId }] } }))
      }`,
    )
    const opened = openPool(worker, 3, { atOnce: 1 })
    pool = opened
    const images = Array.from({ length: 200 }, (_, n) => task(`image ${n}`))
    const answers = await Promise.all(images.map(opened.run))
    expect(new Set(answers.map(({ classified }) => classified?.labels[0]?.label)).size).toBe(3)
  })

  it('survives a worker that runs out of memory', async () => {
    const { run } = await poolOf(obedient, 1)
    const answers = await Promise.all(['a', 'memory', 'b'].map((image) => run(task(image))))
    expect(answers[1]?.error?.message).toMatch(/memory/i)
    expect([answers[0], answers[2]].map((answer) => answer?.classified?.labels[0]?.label)).toEqual(['a', 'b'])
  })

  it('answers every image even if no worker can start', async () => {
    const { run } = await poolOf(`throw new Error('broken')`)
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => run(task(`image ${n}`))))
    expect(answers.map(({ error }) => error?.code)).toEqual(Array(8).fill('internal'))
  })
})
