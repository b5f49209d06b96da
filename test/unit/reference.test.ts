import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { example, fieldsOf } from '../../scripts/reference/fields'
import { settingsPage } from '../../scripts/reference/settings'
import { referenceFolder, referencePages } from '../../scripts/reference/write'

describe('docs/reference', () => {
  it.each(Object.keys(referencePages))('%s is what npm run reference writes', async (name) => {
    const written = readFileSync(join(referenceFolder, name), 'utf8')
    expect(written).toBe(await referencePages[name]?.())
  })
})

it('settings.md has every variable that the sources name', () => {
  const root = join(__dirname, '..', '..')
  const files = ['src', 'actions', 'triggers'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(root, folder, name)),
  )
  const texts = [...files, join(root, 'Dockerfile'), join(root, 'manifest.yaml')].map((file) =>
    readFileSync(file, 'utf8'),
  )
  const named = new Set(texts.join('\n').match(/WHISKLENS_[A-Z0-9_]*[A-Z0-9]/g))
  const page = settingsPage()
  expect(named.size).toBeGreaterThan(25)
  expect([...named].filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})

describe('the fields of a schema', () => {
  const text = z.union([z.string(), z.number()]).transform(String).meta({ typeName: 'text' })

  it('have the type that a caller gives, a default and a meaning', () => {
    const schema = z.object({
      since: text.pipe(z.coerce.date()).optional().describe('a'),
      limit: z.coerce.number().int().default(100).describe('b'),
      status: z.enum(['ok', 'error']).nullable().describe('c'),
    })
    expect(fieldsOf(schema)).toEqual([
      { name: 'since', type: 'text', isOptional: true, default: undefined, meaning: 'a' },
      { name: 'limit', type: 'whole number', isOptional: false, default: '`100`', meaning: 'b' },
      {
        name: 'status',
        type: '`ok`, `error` or `null`',
        isOptional: false,
        default: undefined,
        meaning: 'c',
      },
    ])
  })

  it('are named with their path where they are in objects and lists', () => {
    const inner = z.object({ label: z.string().describe('c') })
    const schema = z.object({
      top: inner.optional().describe('a'),
      labels: z.array(inner).describe('b'),
    })
    expect(fieldsOf(schema).map(({ name }) => name)).toEqual(['top', 'top.label', 'labels', 'labels[].label'])
  })

  it('fail without a description, also deep inside', () => {
    const schema = z.object({ labels: z.array(z.object({ label: z.string() })).describe('a') })
    expect(() => fieldsOf(schema)).toThrow('The field "labels[].label" has no description')
  })
})

it('an example that does not match its schema fails', () => {
  expect(() => example(z.strictObject({ a: z.string() }), { a: 'x', b: 1 } as never)).toThrow(
    'Unrecognized key',
  )
})
