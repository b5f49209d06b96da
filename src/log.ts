import { AsyncLocalStorage } from 'node:async_hooks'
import pino from 'pino'
import { isGuest } from './guest'

/** Fields added to every log line written during some work. */
interface Subject {
  batch?: string
  activation?: string
}

const subjects = new AsyncLocalStorage<Subject>()

/** Runs work whose log lines, including those of awaited calls, carry a subject. */
export const logged = <T>(subject: Subject, work: () => T): T =>
  subjects.run({ ...subjects.getStore(), ...subject }, work)

/**
 * JSON lines on stderr; stdout is for data. Synchronous: an action's lines must be written before the runtime prints
 * the end marker of the activation.
 */
export const log = pino(
  {
    level: process.env.WHISKLENS_LOG_LEVEL ?? (isGuest() ? 'silent' : 'info'),
    base: null,
    // Fields of a line override the subject.
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
