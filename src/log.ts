import { AsyncLocalStorage } from 'node:async_hooks'
import pino from 'pino'
import { isGuest } from './guest'

/** What every line says that is written while some work goes on. */
interface Subject {
  /** The batch that the work is for. */
  batch?: string
  /** The activation that does it. */
  activation?: string
}

const subjects = new AsyncLocalStorage<Subject>()

/** Does some work whose lines of the log, all that it waits for included, name their subject. */
export const logged = <T>(subject: Subject, work: () => T): T =>
  subjects.run({ ...subjects.getStore(), ...subject }, work)

/**
 * JSON lines on stderr, so that stdout stays free for data. Written synchronously: an action's log lines must be out
 * before the runtime prints the activation's end marker.
 */
export const log = pino(
  {
    level: process.env.WHISKLENS_LOG_LEVEL ?? (isGuest() ? 'silent' : 'info'),
    base: null,
    // A line that names another batch is about that one.
    mixin: () => ({ ...subjects.getStore() }),
    formatters: { level: (level) => ({ level }) },
    redact: [
      '*.s3SecretAccessKey',
      '*.s3AccessKeyId',
      '*.s3SessionToken',
      '*.eventsToken',
      '*.resultsToken',
      '*.ownerSecret',
      '*.webhookUrl',
      '*.webhookSecret',
      '*.authKey',
      '*.apiKey',
      '__ow_headers',
      '*.__ow_headers',
    ],
  },
  pino.destination({ fd: 2, sync: true }),
)
