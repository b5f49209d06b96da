import * as z from 'zod'
import { messageOf } from '../../errors'
import { log } from '../../log'
import { HttpError } from '../http-error'
import { type Alarm, alarmOf, type Feed, feedNames, nextTime, parse, timeOf } from './alarm'
import { type Api, type Host, readPayload } from './api'
import { pathOf, type TriggerEntity } from './entities'
import { newTransaction } from './ids'
import { joinNames } from './names'
import { conflict, notFound } from './refusals'

const eventSchema = z.object({
  lifecycleEvent: z.enum(['CREATE', 'READ', 'UPDATE', 'DELETE'], 'unsupported lifecycleEvent'),
  triggerName: z.string('no trigger name parameter was provided'),
  params: z.record(z.string(), z.unknown()),
})

const tickInterval = 1000
const success = { status: 'success' }
const authenticationFailed = 'Trigger authentication request failed.'

/**
 * Fires triggers on schedule. An alarm is stored with its trigger. An alarm due while the host was down fires once after the
 * restart.
 */
export class Alarms {
  private timer?: NodeJS.Timeout

  /** @param now current time, milliseconds since the epoch */
  constructor(
    private readonly host: Host,
    private readonly now: () => number,
  ) {}

  start(): void {
    for (const [trigger, alarm] of this.waiting()) {
      const { stopDate } = alarm.settings
      if (stopDate && timeOf(stopDate) <= this.now()) this.disable(trigger, alarm, ends.stopDate)
    }
    this.timer = setInterval(() => this.tick(), tickInterval)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  /** Fires due triggers. */
  tick(): void {
    for (const [trigger, alarm] of this.waiting()) {
      try {
        if ((alarm.next ?? 0) <= this.now()) this.fireAlarm(trigger, alarm)
      } catch (thrown) {
        // Usually throttled: it stays due.
        log.warn({ trigger: trigger.name, reason: messageOf(thrown) }, 'alarm could not fire its trigger')
      }
    }
  }

  /** Handles a lifecycle event of a feed. @throws HttpError */
  answer(feed: Feed, body: unknown): object {
    const { lifecycleEvent, triggerName, params } = parse(eventSchema, body)
    const { entities, namespace } = this.host
    const path = joinNames(namespace, triggerName.replace(/^\/[^/]*\//, ''))
    const trigger = entities.find('triggers', path)
    if (!trigger && lifecycleEvent === 'DELETE') return success
    if (!trigger) throw new HttpError(404, 'not_found', authenticationFailed)
    const { alarm, ...bare } = trigger
    if (lifecycleEvent === 'CREATE') {
      if (alarm) throw conflict('error creating alarm trigger.')
      entities.put({ ...trigger, alarm: alarmOf(feed, params, this.now()) })
      return success
    }
    if (!alarm) throw new HttpError(404, 'not_found', `could not find trigger /${path} in the database`)
    if (lifecycleEvent === 'READ') return show(trigger, alarm)
    if (lifecycleEvent === 'DELETE') entities.put(bare)
    else entities.put({ ...trigger, alarm: alarmOf(feed, params, this.now(), alarm) })
    return success
  }

  private waiting(): [TriggerEntity, Alarm][] {
    const triggers = this.host.entities.list('triggers', this.host.namespace)
    return triggers.flatMap((trigger) => (trigger.alarm?.next ? [[trigger, trigger.alarm]] : []))
  }

  private fireAlarm(trigger: TriggerEntity, alarm: Alarm): void {
    const { entities, namespace, throttle, fire } = this.host
    const { feed, settings, payload } = alarm
    const { deleteAfterFire = 'false' } = settings
    throttle.fire()
    fire(pathOf(trigger), payload, { transaction: newTransaction(), headers: this.headers() })
    const left = alarm.left && alarm.left - 1
    const next = left === 0 ? undefined : nextTime(feed, settings, this.now())
    if (next) entities.put({ ...trigger, alarm: { ...alarm, left, next } })
    else if (deleteAfterFire === 'false')
      this.disable(trigger, alarm, ends[left === 0 ? 'maxTriggers' : feed])
    else entities.remove(trigger)
    if (deleteAfterFire !== 'rules') return
    const rules = entities.list('rules', namespace).filter((rule) => pathOf(rule) in (trigger.rules ?? {}))
    for (const rule of rules) entities.remove(rule)
  }

  /** Headers of the alarms package's fire request. */
  private headers(): Record<string, string> {
    const { auth, url } = this.host
    const authorization = `Basic ${Buffer.from(auth).toString('base64')}`
    return { accept: 'application/json', authorization, connection: 'close', host: new URL(url()).host }
  }

  private disable(trigger: TriggerEntity, alarm: Alarm, why: string): void {
    const reason = { kind: 'AUTO' as const, message: `Automatically disabled after ${why}` }
    const status = { active: false, dateChanged: this.now(), reason }
    this.host.entities.put({ ...trigger, alarm: { ...alarm, next: undefined, status } })
  }
}

/** Why an alarm was disabled. */
const ends = {
  once: 'firing once',
  alarm: 'firing last scheduled cron trigger',
  interval: 'firing last scheduled interval trigger',
  maxTriggers: 'reaching max triggers',
  stopDate: 'receiving error on trigger initialization: the stop date has expired',
}

/** Response to READ. */
function show({ name, namespace }: TriggerEntity, { settings, payload, status }: Alarm): object {
  const dateChangedISO = new Date(status.dateChanged).toISOString().replace(/\.\d+/, '')
  return { config: { name, namespace, payload, ...settings }, status: { ...status, dateChangedISO } }
}

/** Called by the feed actions with the key of their caller. */
export function alarmRoutes(api: Api, alarms: Alarms): void {
  api.post('/api/v1/alarms/:feed', async (c) => {
    if (!c.var.isUser) throw new HttpError(401, 'unauthorized', authenticationFailed)
    const feed = feedNames.find((name) => name === c.req.param('feed'))
    if (!feed) throw notFound()
    return c.json(alarms.answer(feed, await readPayload(c)))
  })
}
