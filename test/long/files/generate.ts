import { type Random, seeded } from '../../simulation/random'
import { noImages, undecoded } from './others'
import { pictures } from './pictures'

/** Nature of a generated file, which determines the expected outcome. */
export type Truth =
  | 'image'
  /** Trailing bytes, which are harmless. */
  | 'image, longer'
  | 'image, cut off'
  /** One byte changed: the image may still be intact. */
  | 'image, one byte wrong'
  | 'undecoded image'
  | 'no image'

export interface Generated {
  name: string
  bytes: Buffer
  truth: Truth
  kind: string
}

const extensions = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'avif', 'heic', 'tif', 'tiff', 'JPG', 'PNG']
const stems = [
  'photo',
  'Foto mit Umläuten äöü',
  '写真',
  "it's 50% off & more",
  'line\nbreak',
  'a+b=c',
  '"quoted"',
]

/** Percentages. */
const shares: [Truth, number][] = [
  ['image', 52],
  ['image, longer', 4],
  ['image, cut off', 18],
  ['image, one byte wrong', 6],
  ['undecoded image', 10],
  ['no image', 10],
]

function truthOf(random: Random): Truth {
  let left = random.next() * 100
  for (const [truth, share] of shares) {
    left -= share
    if (left < 0) return truth
  }
  return 'image'
}

/** Usually the right extension; sometimes another format's, capitals, or none. */
function nameOf(index: number, kind: string, random: Random): string {
  const own = kind.slice(0, kind.indexOf(' '))
  const stem = `${String(index).padStart(5, '0')} ${random.pick(stems)}`
  if (random.chance(0.06)) return stem
  return `${stem}.${random.chance(0.3) ? random.pick(extensions) : own}`
}

/** Deterministic for a seed. */
export async function* generateFiles(count: number, seed: number): AsyncGenerator<Generated> {
  const random = seeded(seed)
  for (let index = 0; index < count; index++) {
    const truth = truthOf(random)
    const makers = truth === 'no image' ? noImages : truth === 'undecoded image' ? undecoded : pictures
    const kind = random.pick(Object.keys(makers))
    const whole = (await makers[kind]?.(random)) as Buffer
    yield { name: nameOf(index, kind, random), bytes: damaged(whole, truth, random), truth, kind }
  }
}

function damaged(whole: Buffer, truth: Truth, random: Random): Buffer {
  if (truth === 'image, longer') return Buffer.concat([whole, Buffer.alloc(random.between(1, 500))])
  if (truth === 'image, cut off')
    return whole.subarray(0, Math.max(40, Math.floor(whole.length * (0.02 + random.next() * 0.93))))
  if (truth !== 'image, one byte wrong') return whole
  const bytes = Buffer.from(whole)
  const at = random.between(0, bytes.length - 1)
  bytes[at] = (bytes[at] as number) ^ random.between(1, 255)
  return bytes
}
