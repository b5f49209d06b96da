import * as z from 'zod'

export const batchIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected 1–64 of a–z, 0–9, dot, dash and underscore')

/** `wsk` turns what looks like a number or a boolean into one; people type both as text elsewhere. */
export const text = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(String)
  .meta({ typeName: 'text' })
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false', ''])])
  .transform((value) => value === true || value === 'true')
  .meta({ typeName: 'boolean' })
export const count = z.coerce.number().int().positive().meta({ typeName: 'whole number' })

const unitsOfSize = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }
export const size = text
  .pipe(z.string().regex(/^\d+[kmg]?$/i, 'expected bytes, or a size such as 10k or 5M'))
  .transform(
    (value) =>
      Number.parseInt(value, 10) *
      unitsOfSize[value.replace(/^\d+/, '').toLowerCase() as keyof typeof unitsOfSize],
  )
  .meta({ typeName: 'bytes, or `10k`, `5M`, `1g`' })

/** `position`: records say where photos were taken, too. */
export const exifOptionSchema = z.literal('position', "expected 'position'")
export type ExifOption = z.infer<typeof exifOptionSchema>

const hour = 60 * 60 * 1000
const unitsOfAge: Record<string, number> = { h: hour, d: 24 * hour, w: 7 * 24 * hour }

export const ageSchema = text.pipe(
  z.string().regex(/^[1-9]\d{0,4}[hdw]$/, 'expected an age such as 12h, 30d or 8w'),
)

/** An age such as `12h`, `30d` or `8w`, milliseconds. */
export const ageOf = (text: string): number =>
  Number.parseInt(text, 10) * (unitsOfAge[text.slice(-1)] as number)
