import { describeModel } from '../../src/batch/running/model'
import { settingsFromParams } from '../../src/config'
import { OpenWhiskError } from '../../src/errors'
import { currentActivation } from '../../src/openwhisk/activation'
import type { OpenWhisk } from '../../src/openwhisk/client'
import type { Bucket } from '../../src/storage/store'
import { contextOf, silentOpenWhisk, startTestStore } from './batch-fixtures'
import { newRunner } from './batch-runner'

const activation = currentActivation({ __OW_ACTION_NAME: '/guest/whisklens/start-batch' })
const settings = settingsFromParams({ gbSecondPrice: '0.5' })
/** No bucket is needed. */
const nowhere = { name: 'results' } as Bucket
const megabytes: Record<string, number> = {
  '/guest/whisklens/classify': 512,
  '/guest/whisklens/aggregate': 128,
}

const answer = (platform: Partial<OpenWhisk>) =>
  describeModel(
    {
      ...contextOf({ bucket: () => nowhere }, nowhere),
      openwhisk: { ...silentOpenWhisk, call: async () => ({ model: 'tiny@00c0ffee' }), ...platform },
      activation,
      settings,
    },
    'tiny',
  )

describe('what a batch is planned with', () => {
  it('is the version that answers, the memory that the actions were deployed with, and the price', async () => {
    expect(await answer({ memoryOf: async (action) => megabytes[action] ?? Number.NaN })).toEqual({
      model: 'tiny',
      modelVersion: 'tiny@00c0ffee',
      memory: { classify: 512, aggregate: 128 },
      gbSecondPrice: 0.5,
    })
  })

  it('leaves the memory open where the platform does not tell: no batch fails over its cost', async () => {
    const memoryOf = async () => {
      throw new OpenWhiskError(403, 'not for you')
    }
    expect(await answer({ memoryOf })).toMatchObject({ modelVersion: 'tiny@00c0ffee', memory: undefined })
  })

  it('is an error where classify does not name its model', async () => {
    await expect(answer({ call: async () => ({}) })).rejects.toThrow('did not say which model')
  })
})

describe('a batch that was stopped because its model is not there', () => {
  it('takes another when it is fired again, and keeps it for what goes on', async () => {
    const objects = await startTestStore()
    try {
      const runner = await newRunner(objects)
      await runner.photos.put('a', 'v1')
      const described: unknown[] = []
      runner.openwhisk.call = async (_, params) => {
        const { model } = params as { model: string }
        described.push(model)
        if (model === 'tpyo') throw new OpenWhiskError(502, 'There is no model "tpyo"')
        return { model: `${model}@00c0ffee` }
      }
      const stopped = { state: 'stopped', reason: 'There is no model "tpyo"', totals: { listed: 0 } }
      expect(await runner.start({ batch: 'b1', model: 'tpyo' })).toMatchObject(stopped)
      expect(await runner.start({ batch: 'b1' })).toMatchObject(stopped)
      expect(await runner.start({ batch: 'b1', model: 'typo' })).toMatchObject({
        state: 'complete',
        model: 'typo@00c0ffee',
        totals: { ok: 1 },
      })
      expect(described).toEqual(['tpyo', 'tpyo', 'typo'])
    } finally {
      await objects.close()
    }
  })
})
