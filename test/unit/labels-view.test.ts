import fc from 'fast-check'
import { WhisklensError } from '../../src/errors'
import { findLabel } from '../../src/labels/classes'
import { parseLabelRules } from '../../src/labels/rules'
import { type LabelView, labelView } from '../../src/labels/view'
import { type ImageRecord, recordSchema } from '../../src/schema'
import { anyKey, errorRecord, okRecord } from './batch-fixtures'

const view = (rules: object): LabelView => labelView(parseLabelRules(JSON.stringify(rules), 'labels.json'))

const label = (name: string, probability: number) => ({ ...findLabel(name), index: 1, probability })

const photo = okRecord('a.jpg', {
  labels: [
    label('tiger cat', 0.4),
    label('Egyptian cat', 0.3),
    label('tabby', 0.15),
    label('beagle', 0.1),
    label('web site', 0.05),
  ],
})

const shown = (rules: object, record: ImageRecord = photo): [string, number][] =>
  view(rules)
    .record(record)
    .labels.map(({ label, probability }) => [label, Number(probability.toFixed(6))])

describe('labels.json', () => {
  it('changes nothing without rules', () => {
    expect(view({}).record(photo)).toEqual(photo)
  })

  it('ignores labels by name, id and kind', () => {
    expect(shown({ ignore: ['WEB SITE', 'n02088364', 'tiger cat'] })).toEqual([
      ['Egyptian cat', 0.3],
      ['tabby', 0.15],
    ])
    expect(shown({ ignore: ['cat'] })).toEqual([
      ['beagle', 0.1],
      ['web site', 0.05],
    ])
  })

  it('renames labels, and keeps the model’s name', () => {
    const [first] = view({ rename: { 'tiger cat': 'Tigerkatze' } }).record(photo).labels
    expect(first).toEqual({ ...photo.labels[0], label: 'Tigerkatze' })
  })

  it('groups labels, whose probabilities add up', () => {
    expect(shown({ groups: { pet: ['cat', 'dog'] } })).toEqual([
      ['pet', 0.95],
      ['web site', 0.05],
    ])
    expect(shown({ groups: { pet: ['tabby', 'beagle', 'Egyptian cat'] } })[0]).toEqual(['pet', 0.55])
  })

  it('prefers rules for a label to those for its kind', () => {
    const rules = { groups: { pet: ['dog', 'cat'] }, rename: { beagle: 'Snoopy' } }
    expect(shown(rules).map(([name]) => name)).toEqual(['pet', 'Snoopy', 'web site'])
  })

  it('drops labels below a minimum: of the label, group, or default', () => {
    expect(shown({ minimum: { '*': 0.2 } }).map(([name]) => name)).toEqual(['tiger cat', 'Egyptian cat'])
    expect(shown({ minimum: { '*': 0.2, 'tiger cat': 0.5, beagle: 0.1 } }).map(([name]) => name)).toEqual([
      'Egyptian cat',
      'beagle',
    ])
    expect(shown({ minimum: { cat: 0.2 } }).map(([name]) => name)).toEqual([
      'tiger cat',
      'Egyptian cat',
      'beagle',
      'web site',
    ])
    expect(shown({ groups: { pet: ['cat'] }, minimum: { pet: 0.9 } }).map(([name]) => name)).toEqual([
      'beagle',
      'web site',
    ])
  })

  it('applies to detections, too', () => {
    const box: [number, number, number, number] = [0, 0, 1, 1]
    const detections = [
      { label: 'dog', probability: 0.9, box },
      { label: 'person', probability: 0.8, box },
      { label: 'cup', probability: 0.2, box },
    ]
    const rules = { ignore: ['person'], rename: { dog: 'Hund' }, minimum: { cup: 0.5 } }
    expect(view(rules).record(okRecord('a', { detections })).detections).toEqual([
      { label: 'Hund', probability: 0.9, box },
    ])
  })

  it('merges counts with the same name', () => {
    const counts = [
      { label: 'tiger cat', count: 5 },
      { label: 'beagle', count: 4 },
      { label: 'tabby', count: 3 },
      { label: 'web site', count: 2 },
    ]
    expect(
      view({ groups: { cat: ['cat'] }, rename: { beagle: 'dog' }, ignore: ['web site'] }).counts(counts),
    ).toEqual([
      { label: 'cat', count: 8 },
      { label: 'dog', count: 4 },
    ])
  })

  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /labels\.json cannot be used/],
    ['a list', '[]', /object/],
    ['a rule that there is not', '{"renames":{}}', /renames/],
    ['a probability above 1', '{"minimum":{"tabby":40}}', /minimum/],
    ['an empty group', '{"groups":{"cat":[]}}', /groups/],
    ['another schema', '{"schema":"whisklens.labels/2"}', /schema/],
  ])('is refused with a reason if it is %s', (_, text, reason) => {
    expect(() => parseLabelRules(text, 'labels.json')).toThrow(reason)
    try {
      parseLabelRules(text, 'labels.json')
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(WhisklensError)
      expect(thrown).toMatchObject({ code: 'bad_labels' })
    }
  })

  it('accepts a byte order mark, as written by Windows editors', () => {
    expect(parseLabelRules('\uFEFF{"ignore":["tabby"]}', 'labels.json').ignore).toEqual(['tabby'])
  })

  const anyName = fc.oneof(
    fc.constantFrom('tabby', 'cat', 'dog', 'n02123045', 'web site', 'pet', 'toString', '__proto__'),
    anyKey.filter((text) => text.trim() !== ''),
  )
  const probability = fc.double({ min: 0, max: 1, noNaN: true })
  const anyRules = fc.record({
    ignore: fc.array(anyName, { maxLength: 3 }),
    rename: fc.dictionary(anyName, anyName, { maxKeys: 4 }),
    groups: fc.dictionary(anyName, fc.array(anyName, { minLength: 1, maxLength: 4 }), { maxKeys: 3 }),
    minimum: fc.dictionary(fc.oneof(anyName, fc.constant('*')), probability, { maxKeys: 3 }),
  })
  const anyRecord = fc
    .array(fc.tuple(anyName, probability), { maxLength: 5 })
    .map((labels) => okRecord('a', { labels: labels.map(([name, share]) => label(name, share)) }))

  it('keeps records valid under any rules, without changing its input', () => {
    fc.assert(
      fc.property(anyRules, fc.oneof(anyRecord, fc.constant(errorRecord('b'))), (rules, record) => {
        const before = JSON.stringify(record)
        const made = view(rules).record(record)
        expect(JSON.stringify(record)).toBe(before)
        expect(recordSchema.parse(made)).toEqual(made)
        const names = made.labels.map(({ label }) => label)
        expect(new Set(names).size).toBe(names.length)
        const shares = made.labels.map(({ probability }) => probability)
        expect(shares).toEqual([...shares].sort((a, b) => b - a))
        // The total never grows.
        const sum = (labels: ImageRecord['labels']) =>
          labels.reduce((total, { probability }) => total + probability, 0)
        expect(sum(made.labels)).toBeLessThanOrEqual(sum(record.labels) + 1e-9)
      }),
    )
  })
})
