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

describe('the model of a batch', () => {
  it('has the answering version, the deployed memory and the price', async () => {
    expect(await answer({ memoryOf: async (action) => megabytes[action] ?? Number.NaN })).toEqual({
      model: 'tiny',
      modelVersion: 'tiny@00c0ffee',
      memory: { classify: 512, aggregate: 128 },
      gbSecondPrice: 0.5,
    })
  })

  it('has no memory when the platform does not report it', async () => {
    const memoryOf = async () => {
      throw new OpenWhiskError(403, 'not for you')
    }
    expect(await answer({ memoryOf })).toMatchObject({ modelVersion: 'tiny@00c0ffee', memory: undefined })
  })

  it('is an error when classify does not report its version', async () => {
    await expect(answer({ call: async () => ({}) })).rejects.toThrow('did not report its model version')
  })
})

describe('a batch stopped because its model is missing', () => {
  it('takes another model when fired again, and keeps it from then on', async () => {
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
