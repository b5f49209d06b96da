import { cropOf, scaledSize } from './geometry'
import type { InputSpec, Size } from './image'
import type { Header } from './jpeg-header'
import { orientationOf } from './orientation'
import { planOf } from './resample/resample'
import { centreOf, shrunkBy } from './shrink'

/** Region to read for an input, and its size after shrinking while decoding. */
function readingFor(header: Header, input: InputSpec) {
  const { width, height, format } = header
  const shortSide = 'resizeShortSide' in input && input.resizeShortSide
  const region = shortSide ? centreOf(header, shortSide) : { left: 0, top: 0, width, height }
  const shrunk = shrunkBy(region, scaledSize(region, input), format === 'jpeg' && isAllOf(header, region))
  return { region, shrunk }
}

/** Inputs from one image; the first determines what is read. */
export type Inputs = [InputSpec, ...InputSpec[]]

/** Plans the read for the first input, and the resampling for each. */
export function planFor(header: Header, inputs: Inputs) {
  const orientation = orientationOf(header.orientation)
  const { region, shrunk } = readingFor(header, inputs[0])
  const plans = inputs.map((input) => {
    const scaled = scaledSize(region, input)
    const cut = cropOf(scaled, input, orientation)
    const { extent } = shrunk
    const resizing = { scaled, region: cut, kernel: input.kernel, extent, columnsFirst: orientation.swapped }
    return { plan: planOf(shrunk, resizing), cut }
  })
  return { region, shrunk, plans }
}

export const isAllOf = ({ width, height }: Size, region: Size): boolean =>
  region.width === width && region.height === height

/** More pixels than photos of usual proportions are shrunk to. */
const maxShared = 4_000_000

/** Whether the data read for an input also serves others: the whole image, and small. */
export function isShared(header: Header, input: InputSpec): boolean {
  const { region, shrunk } = readingFor(header, input)
  return isAllOf(header, region) && shrunk.width * shrunk.height <= maxShared
}
