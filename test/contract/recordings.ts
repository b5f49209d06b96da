import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zip } from './api-host'

/* Recorded answers of an Apache OpenWhisk server, and their comparison with those of another host. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export const fixtures = join(__dirname, '../fixtures/openwhisk')

export const readRecording = <T>(name: string): T[] =>
  readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** The archive whose base64 is truncated in the recordings. */
export const archive = zip({ 'index.js': readFileSync(join(fixtures, 'action.js'), 'utf8') })

/** Keys of values that the server generates; compared by type only. */
const madeUp = new Set(['updated', 'start', 'end', 'duration', 'waitTime', 'build', 'buildno'])
const ids = /\b[0-9a-f]{32}\b/g
const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /

const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const keyOf = (value: Json): string => (isObject(value) ? String(value.key) : '')

/** Annotations and parameters are unordered, and `initTime` depends on whether the container was new. */
function asSet(list: Json[]): Json[] {
  if (!list.every((one) => isObject(one) && 'key' in one)) return list
  return list.filter((one) => keyOf(one) !== 'initTime').sort((a, b) => keyOf(a).localeCompare(keyOf(b)))
}

/** Compares with a recorded session. Learns from the answers which activation ids correspond. */
export class Comparison {
  private readonly ourIds = new Map<string, string>()

  /** @param alsoMadeUp more keys of generated values */
  constructor(private readonly alsoMadeUp: Set<string> = new Set()) {}

  withOurIds(text: string): string {
    return text.replace(ids, (id) => this.ourIds.get(id) ?? id)
  }

  /** Differences between `ours` and `recorded`, one line each. */
  differences(recorded: Json, ours: Json, at: string): string[] {
    if (Array.isArray(recorded) && Array.isArray(ours)) {
      const [left, right] = [asSet(recorded), asSet(ours)]
      if (left.length !== right.length) return [`${at}: ${left.length} elements, here ${right.length}`]
      return left.flatMap((one, i) => this.differences(one, right[i] as Json, `${at}[${keyOf(one) || i}]`))
    }
    if (isObject(recorded) && isObject(ours)) {
      const [left, right] = [recorded, ours].map((one) => Object.keys(one).sort().join())
      if (left !== right) return [`${at}: {${left}}, here {${right}}`]
      return Object.entries(recorded).flatMap(([key, value]) => {
        if (this.isMadeUp(key, recorded))
          return typeof value === typeof ours[key] ? [] : [`${at}.${key}: ${typeof ours[key]}`]
        return this.differences(value, ours[key] as Json, `${at}.${key}`)
      })
    }
    if (typeof recorded === 'string' && typeof ours === 'string')
      return this.textDifferences(recorded, ours, at)
    return recorded === ours ? [] : [`${at}: ${JSON.stringify(recorded)}, here ${JSON.stringify(ours)}`]
  }

  private isMadeUp(key: string, parent: { [key: string]: Json }): boolean {
    const isKnown = [key, keyOf(parent)].some((one) => madeUp.has(one) || this.alsoMadeUp.has(one))
    return isKnown || (key === 'code' && 'error' in parent)
  }

  private textDifferences(recorded: string, ours: string, at: string): string[] {
    const here = ours.match(ids) ?? []
    recorded.match(ids)?.forEach((id, i) => {
      if (!this.ourIds.has(id) && here[i]) this.ourIds.set(id, here[i])
    })
    if (stamp.test(recorded) && stamp.test(ours)) {
      return this.textDifferences(recorded.replace(stamp, ''), ours.replace(stamp, ''), at)
    }
    const expected = recorded.endsWith('…') ? archive : this.withOurIds(recorded)
    return expected === ours ? [] : [`${at}: '${expected}', here '${ours}'`]
  }
}
