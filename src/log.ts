import pino from 'pino'

/**
 * JSON lines on stderr, so that stdout stays free for data. Written synchronously: an action's log lines must be out
 * before the runtime prints the activation's end marker.
 */
export const log = pino(
  {
    level: process.env.WHISKLENS_LOG_LEVEL ?? 'info',
    base: null,
    formatters: { level: (level) => ({ level }) },
    redact: [
      '*.s3SecretAccessKey',
      '*.s3AccessKeyId',
      '*.s3SessionToken',
      '*.eventsToken',
      '*.resultsToken',
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
