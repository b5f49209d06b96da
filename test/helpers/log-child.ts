import { WhisklensError } from '../../src/errors'
import { log, logged } from '../../src/log'
import { wrapAction } from '../../src/openwhisk/action'

/** Two concurrent activations; each logs and fails. */
const main = wrapAction(async () => {
  log.info('begun')
  await new Promise((resolve) => setTimeout(resolve, 10))
  await logged({ batch: 'other' }, async () => {
    await Promise.resolve()
    log.info('of another batch')
  })
  log.info({ batch: 'named' }, 'named in the line')
  log.info({ settings: { webhookUrl: 'https://secret.example', webhookSecret: 'secret' } }, 'settings')
  throw new WhisklensError('usage', 'It failed')
})

process.env.__OW_ACTIVATION_ID = 'a1'
const first = main({ batch: 'b1' })
process.env.__OW_ACTIVATION_ID = 'a2'
void Promise.all([first, main({ advance: 'b2' })])
