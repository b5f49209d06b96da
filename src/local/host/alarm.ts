import { Cron } from 'croner'
import * as z from 'zod'
import { badRequest } from './refusals'

/*
 * Settings and schedule of an alarm, with the error messages of Apache OpenWhisk's alarms package.
 */

/** Milliseconds since the epoch, or a date as text; stored as given. */
const when = z.union([z.string(), z.number()])
const wholeMinutes = 'the minutes parameter must be an integer'
const wrongEnd = 'deleteAfterFire parameter must be one of [false, true, rules].'

const settingsSchema = z
  .object({
    cron: z.coerce.string().refine(isCron, { error: ({ input }) => `cron pattern '${input}' is not valid` }),
    timezone: z.string().refine(isTimezone, 'Invalid timezone.'),
    // If false, the real feed may fire up to a minute late; here it never does.
    strict: z.union([z.boolean(), z.stringbool()]),
    minutes: z.coerce.number(wholeMinutes).int(wholeMinutes).positive(`${wholeMinutes} greater than zero`),
    startDate: when,
    stopDate: when,
    date: when,
    deleteAfterFire: z.coerce
      .string()
      .trim()
      .toLowerCase()
      .pipe(z.enum(['false', 'true', 'rules'], wrongEnd)),
  })
  .partial()
type Settings = z.infer<typeof settingsSchema>

const commonSchema = z
  .object({
    trigger_payload: z.union([z.record(z.string(), z.unknown()), z.string()]),
    maxTriggers: z.coerce.number(),
  })
  .partial()

export const feedNames = ['alarm', 'once', 'interval'] as const
export type Feed = (typeof feedNames)[number]

const dates = { startDate: true, stopDate: true } as const
/** Name in messages, required parameter, and settings of each feed. */
const feeds: Record<Feed, { title: string; required: keyof Settings; settings: z.ZodType<Settings> }> = {
  alarm: {
    title: 'alarms',
    required: 'cron',
    settings: settingsSchema.pick({ cron: true, timezone: true, strict: true, ...dates }),
  },
  once: {
    title: 'alarms once',
    required: 'date',
    settings: settingsSchema.pick({ date: true, deleteAfterFire: true }),
  },
  interval: {
    title: 'interval',
    required: 'minutes',
    settings: settingsSchema.pick({ minutes: true, ...dates }),
  },
}

/** Alarm of a trigger, and its state. */
export interface Alarm {
  feed: Feed
  settings: Settings
  /** Parameters that the trigger is fired with. */
  payload: Record<string, unknown>
  maxTriggers?: number
  /** Remaining fires, if limited. */
  left?: number
  /** Next fire, milliseconds since the epoch; undefined if there is none. */
  next?: number
  status: { active: boolean; dateChanged: number; reason?: { kind: 'AUTO'; message: string } }
}

/**
 * Creates the alarm for a feed, or updates an `old` one. Empty parameters count as missing.
 * @param now milliseconds since the epoch
 * @throws HttpError 400 for invalid parameters
 */
export function alarmOf(asked: Feed, params: Record<string, unknown>, now: number, old?: Alarm): Alarm {
  const given = Object.entries(params).filter(([, value]) => Boolean(value) || value === false)
  const feed = old?.feed ?? asked
  const changes = parse(feeds[feed].settings, Object.fromEntries(given))
  const common = parse(commonSchema, Object.fromEntries(given))
  // As on clusters, the default is an empty text.
  const { trigger_payload: payload = old?.payload ?? '' } = common
  const { maxTriggers = -1 } = old ?? common
  if (old && payload === old.payload && Object.keys(changes).length === 0) {
    throw badRequest('no updatable parameters were specified')
  }
  const { title, required } = feeds[feed]
  const settings = { ...(feed === 'interval' && { startDate: now + 30_000 }), ...old?.settings, ...changes }
  if (!settings[required]) throw badRequest(`${title} trigger feed is missing the ${required} parameter`)
  checkDates(settings, changes, now)
  if (maxTriggers > 0 && settings.stopDate !== undefined) {
    const why =
      feed === 'interval'
        ? 'supported for the interval trigger feed'
        : 'allowed when the stopDate parameter is specified'
    throw badRequest(`maxTriggers is not ${why}`)
  }
  const next = nextTime(feed, settings, now)
  if (next === undefined)
    throw badRequest('the first scheduled trigger fire is not until after the stop date')
  return {
    feed,
    settings,
    payload: typeof payload === 'string' ? { payload } : payload,
    maxTriggers,
    left: feed === 'alarm' && maxTriggers > 0 ? maxTriggers : undefined,
    next,
    status: { active: true, dateChanged: now },
  }
}

/** @throws HttpError 400 with the schema's message */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw badRequest(parsed.error.issues.map(({ message }) => message).join(' '))
}

function checkDates({ startDate, stopDate }: Settings, changes: Settings, now: number): void {
  for (const name of ['date', 'startDate', 'stopDate'] as const) {
    const date = changes[name]
    if (date === undefined) continue
    if (Number.isNaN(timeOf(date))) throw badRequest(`${name} parameter '${date}' is not a valid Date`)
    if (timeOf(date) <= now) throw badRequest(`${name} parameter '${date}' must be in the future`)
  }
  if (startDate === undefined || stopDate === undefined || timeOf(stopDate) > timeOf(startDate)) return
  const wanted = `must be greater than the startDate parameter '${startDate}'`
  throw badRequest(`stopDate parameter '${stopDate}' ${wanted}`)
}

/** Time of the next fire after `after`, milliseconds since the epoch; undefined if there is none. */
export function nextTime(feed: Feed, settings: Settings, after: number): number | undefined {
  const { date = 0, minutes = 1, cron = '', timezone = 'UTC', startDate = 0, stopDate } = settings
  const start = timeOf(startDate)
  const step = minutes * 60_000
  const times = {
    once: () => timeOf(date),
    interval: () => start + step * Math.max(0, Math.floor((after - start) / step) + 1),
    alarm: () => new Cron(cron, { timezone }).nextRun(new Date(Math.max(after, start)))?.getTime() ?? 0,
  }
  const next = times[feed]()
  return next <= after || (stopDate !== undefined && next > timeOf(stopDate)) ? undefined : next
}

export const timeOf = (date: string | number): number => new Date(date).getTime()

/** Whether a pattern has five fields, or six with seconds first, and a next time. */
function isCron(pattern: string): boolean {
  return /^(\S+\s+){4,5}\S+$/.test(pattern.trim()) && isTrue(() => new Cron(pattern).nextRun() !== null)
}

function isTimezone(timeZone: string): boolean {
  return isTrue(() => Boolean(new Intl.DateTimeFormat('en', { timeZone })))
}

function isTrue(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}
