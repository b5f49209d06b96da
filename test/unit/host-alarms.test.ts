import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Feed, nextTime } from '../../src/local/host/alarm'
import { Alarms } from '../../src/local/host/alarms'
import type { Host } from '../../src/local/host/api'
import { Entities } from '../../src/local/host/entities'
import { tooMany } from '../../src/local/host/limits'

const minute = 60_000
const at = (time: string): number => Date.parse(`2026-01-${time}Z`)

let folder: string
let now: number
let fires: { path: string; payload: object }[]
let isThrottled: boolean
let entities: Entities
let alarms: Alarms

/** Opens the entities and alarms of the folder, like a starting host. */
function open(): void {
  entities = new Entities(folder)
  const fire = (path: string, payload: object): string => {
    if (isThrottled) throw tooMany('requests in the last minute', 61, 60)
    fires.push({ path, payload })
    return 'an activation'
  }
  const throttle = { fire: () => {} }
  const parts = {
    entities,
    namespace: 'guest',
    auth: 'uuid:key',
    url: () => 'http://127.0.0.1:3233',
    throttle,
    fire,
  }
  alarms = new Alarms(parts as unknown as Host, () => now)
}

const common = { version: '0.0.1', publish: false, annotations: [], parameters: [], updated: 1 }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whisklens-alarms-'))
  now = at('10T12:00:00')
  fires = []
  isThrottled = false
  open()
  entities.put({ ...common, collection: 'triggers', namespace: 'guest', name: 't' })
})
afterEach(() => rmSync(folder, { recursive: true }))

const send = (lifecycleEvent: string, feed: Feed, params: object = {}): object =>
  alarms.answer(feed, { lifecycleEvent, triggerName: '/_/t', params })

const create = (feed: Feed, params: object): object => send('CREATE', feed, params)

interface Told {
  config: Record<string, unknown>
  status: { active: boolean; reason?: { message: string } }
}
const read = (): Told => send('READ', 'alarm') as Told
const whyDisabled = (): string | undefined => read().status.reason?.message

/** Advances the clock second by second. @returns when the trigger fired, as `DDTHH:MM:SS` */
function firesUntil(end: number): string[] {
  const times: string[] = []
  while (now < end) {
    now += 1000
    const before = fires.length
    alarms.tick()
    for (let i = before; i < fires.length; i++) times.push(new Date(now).toISOString().slice(8, 19))
  }
  return times
}

describe('an interval', () => {
  it('fires after half a minute, and at its interval', () => {
    expect(create('interval', { minutes: 5, trigger_payload: { a: 1 } })).toEqual({ status: 'success' })
    expect(firesUntil(at('10T12:11:00'))).toEqual(['10T12:00:30', '10T12:05:30', '10T12:10:30'])
    expect(fires[0]).toEqual({ path: 'guest/t', payload: { a: 1 } })
  })

  it('respects its start and stop dates', () => {
    create('interval', { minutes: '10', startDate: at('10T12:30:00'), stopDate: '2026-01-10T12:55:00Z' })
    expect(read()).toEqual({
      config: {
        name: 't',
        namespace: 'guest',
        payload: { payload: '' },
        minutes: 10,
        startDate: at('10T12:30:00'),
        stopDate: '2026-01-10T12:55:00Z',
      },
      status: { active: true, dateChanged: now, dateChangedISO: '2026-01-10T12:00:00Z' },
    })
    expect(firesUntil(at('10T14:00:00'))).toEqual(['10T12:30:00', '10T12:40:00', '10T12:50:00'])
    expect(read().status.active).toBe(false)
    expect(whyDisabled()).toBe('Automatically disabled after firing last scheduled interval trigger')
  })

  it('fires at multiples of its interval after the start', () => {
    const time = fc.integer({ min: 0, max: 4e12 })
    fc.assert(
      fc.property(time, time, fc.integer({ min: 1, max: 1e5 }), (startDate, after, minutes) => {
        const next = nextTime('interval', { minutes, startDate }, after) ?? Number.NaN
        expect((next - startDate) % (minutes * minute)).toBe(0)
        expect(next).toBeGreaterThan(after)
        expect(next).toBeLessThanOrEqual(Math.max(startDate, after + minutes * minute))
      }),
    )
  })
})

describe('a cron pattern', () => {
  it('is in UTC, or in its time zone', () => {
    create('alarm', { cron: '0 9 * * *' })
    expect(firesUntil(at('11T12:00:00'))).toEqual(['11T09:00:00'])
    send('UPDATE', 'alarm', { timezone: 'America/New_York' })
    expect(firesUntil(at('12T00:00:00'))).toEqual(['11T14:00:00'])
  })

  it('may have seconds, a start date and a stop date', () => {
    const dates = { startDate: at('10T12:01:05'), stopDate: at('10T12:01:45') }
    create('alarm', { cron: '*/20 * * * * *', ...dates })
    expect(firesUntil(at('10T12:03:00'))).toEqual(['10T12:01:20', '10T12:01:40'])
    expect(whyDisabled()).toBe('Automatically disabled after firing last scheduled cron trigger')
  })

  it('ends after maxTriggers, and starts again when updated', () => {
    create('alarm', { cron: '* * * * *', maxTriggers: 2 })
    expect(firesUntil(at('10T12:10:00'))).toEqual(['10T12:01:00', '10T12:02:00'])
    expect(whyDisabled()).toBe('Automatically disabled after reaching max triggers')
    send('UPDATE', 'alarm', { trigger_payload: 'again' })
    expect(read().status).not.toHaveProperty('reason')
    expect(firesUntil(at('10T12:20:00'))).toEqual(['10T12:11:00', '10T12:12:00'])
    expect(fires.at(-1)?.payload).toEqual({ payload: 'again' })
  })
})

describe('once', () => {
  it('fires at its date and stays, disabled', () => {
    create('once', { date: '2026-01-10T12:00:10Z', trigger_payload: 'text' })
    expect(firesUntil(at('10T12:05:00'))).toEqual(['10T12:00:10'])
    expect(fires[0]?.payload).toEqual({ payload: 'text' })
    expect(whyDisabled()).toBe('Automatically disabled after firing once')
  })

  it.each([
    [true, ['guest/r']],
    ['rules', []],
  ])('deletes what deleteAfterFire says: %s', (deleteAfterFire, rules) => {
    const action = { path: 'guest', name: 'a' }
    const trigger = entities.get('triggers', 'guest/t')
    entities.put({ ...trigger, rules: { 'guest/r': { action, status: 'active' } } })
    const ends = { trigger: { path: 'guest', name: 't' }, action }
    entities.put({ ...common, collection: 'rules', namespace: 'guest', name: 'r', ...ends })
    create('once', { date: now + 1000, deleteAfterFire })
    expect(firesUntil(now + 5000)).toHaveLength(1)
    expect(entities.list('triggers', 'guest')).toEqual([])
    expect(entities.list('rules', 'guest').map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(
      rules,
    )
  })
})

describe('an alarm', () => {
  it('that was due while the host was down fires once, and then as before', () => {
    create('interval', { minutes: 10 })
    now = at('10T15:55:00')
    open()
    alarms.start()
    alarms.stop()
    expect(firesUntil(at('10T16:05:00'))).toEqual(['10T15:55:01', '10T16:00:30'])
  })

  it('whose stop date passed while the host was down does not fire', () => {
    create('interval', { minutes: 10, stopDate: at('10T13:00:00') })
    now = at('10T15:55:00')
    open()
    alarms.start()
    alarms.stop()
    expect(firesUntil(at('10T16:05:00'))).toEqual([])
    expect(whyDisabled()).toContain('the stop date has expired')
  })

  it('that is throttled is retried until it can fire', () => {
    create('once', { date: now + 1000 })
    isThrottled = true
    expect(firesUntil(now + 5000)).toEqual([])
    isThrottled = false
    expect(firesUntil(now + 5000)).toHaveLength(1)
  })

  it('is deleted with its trigger', () => {
    create('interval', { minutes: 1 })
    expect(send('DELETE', 'interval')).toEqual({ status: 'success' })
    expect(firesUntil(at('10T12:10:00'))).toEqual([])
    expect(() => read()).toThrow('could not find trigger /guest/t in the database')

    create('interval', { minutes: 1 })
    entities.remove(entities.get('triggers', 'guest/t'))
    expect(firesUntil(at('10T12:20:00'))).toEqual([])
    expect(send('DELETE', 'interval')).toEqual({ status: 'success' })
    expect(() => read()).toThrow('Trigger authentication request failed.')
  })

  it('is not created twice', () => {
    create('interval', { minutes: 1 })
    expect(() => create('interval', { minutes: 2 })).toThrow('error creating alarm trigger.')
    expect(read().config.minutes).toBe(1)
  })

  it('keeps its feed when another feed updates it', () => {
    create('once', { date: now + minute })
    const change = { date: now + 2 * minute, cron: '* * * * *', deleteAfterFire: 'TRUE' }
    send('UPDATE', 'alarm', change)
    const told = { date: change.date, deleteAfterFire: 'true' }
    expect(read().config).toEqual({ name: 't', namespace: 'guest', payload: { payload: '' }, ...told })
  })
})

describe('an alarm is refused if', () => {
  const past = at('10T11:00:00')
  const soon = at('10T12:30:00')
  const later = at('10T12:40:00')

  it.each<[Feed, object, string]>([
    ['alarm', {}, 'alarms trigger feed is missing the cron parameter'],
    ['alarm', { cron: '' }, 'alarms trigger feed is missing the cron parameter'],
    ['alarm', { cron: '***' }, "cron pattern '***' is not valid"],
    ['alarm', { cron: 1767225600000 }, "cron pattern '1767225600000' is not valid"],
    ['alarm', { cron: '61 * * * *' }, "cron pattern '61 * * * *' is not valid"],
    ['alarm', { cron: '* * * *' }, "cron pattern '* * * *' is not valid"],
    ['alarm', { cron: '0 0 0 1 1 * 2030' }, "cron pattern '0 0 0 1 1 * 2030' is not valid"],
    ['alarm', { cron: '0 0 31 2 *' }, "cron pattern '0 0 31 2 *' is not valid"],
    ['alarm', { cron: '* * * * *', timezone: 'Mars/Olympus' }, 'Invalid timezone.'],
    ['alarm', { cron: '* * * * *', startDate: past }, `startDate parameter '${past}' must be in the future`],
    [
      'alarm',
      { cron: '* * * * *', startDate: later, stopDate: soon },
      `stopDate parameter '${soon}' must be greater than the startDate parameter '${later}'`,
    ],
    [
      'alarm',
      { cron: '0 9 * * *', stopDate: soon },
      'the first scheduled trigger fire is not until after the stop date',
    ],
    [
      'alarm',
      { cron: '* * * * *', stopDate: soon, maxTriggers: 3 },
      'maxTriggers is not allowed when the stopDate parameter is specified',
    ],
    ['interval', {}, 'interval trigger feed is missing the minutes parameter'],
    ['interval', { minutes: 'five' }, 'the minutes parameter must be an integer'],
    ['interval', { minutes: 1.5 }, 'the minutes parameter must be an integer'],
    ['interval', { minutes: -1 }, 'the minutes parameter must be an integer greater than zero'],
    [
      'interval',
      { minutes: 1, stopDate: soon, maxTriggers: 3 },
      'maxTriggers is not supported for the interval trigger feed',
    ],
    ['once', {}, 'alarms once trigger feed is missing the date parameter'],
    ['once', { date: 'tomorrow' }, "date parameter 'tomorrow' is not a valid Date"],
    ['once', { date: past }, `date parameter '${past}' must be in the future`],
    [
      'once',
      { date: soon, deleteAfterFire: 'maybe' },
      'deleteAfterFire parameter must be one of [false, true, rules].',
    ],
  ])('%s with %j', (feed, params, message) => {
    expect(() => create(feed, params)).toThrow(message)
    expect(() => read()).toThrow('could not find trigger')
  })

  it('an update is empty or invalid; the alarm stays as it was', () => {
    create('interval', { minutes: 1, stopDate: later })
    const before = read()
    expect(() => send('UPDATE', 'interval', {})).toThrow('no updatable parameters were specified')
    expect(() => send('UPDATE', 'interval', { date: soon })).toThrow('no updatable parameters were specified')
    expect(() => send('UPDATE', 'interval', { minutes: 'x' })).toThrow('must be an integer')
    expect(() => send('UPDATE', 'interval', { startDate: later })).toThrow(/stopDate parameter .* greater/)
    expect(read()).toEqual(before)
  })

  it('the event or trigger is unknown', () => {
    expect(() => send('PAUSE', 'alarm')).toThrow('unsupported lifecycleEvent')
    const create = { lifecycleEvent: 'CREATE', params: { minutes: 1 } }
    expect(() => alarms.answer('interval', create)).toThrow('no trigger name parameter was provided')
    const unknown = { ...create, triggerName: '/guest/none' }
    expect(() => alarms.answer('interval', unknown)).toThrow('Trigger authentication request failed.')
    expect(() => alarms.answer('interval', { ...create, triggerName: '/_/a/b' })).toThrow(
      'illegal characters',
    )
  })
})
