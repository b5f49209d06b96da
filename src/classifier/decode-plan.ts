import { cutOf, scaledSize } from './geometry'
import type { InputSpec, Size } from './image'
import type { Header } from './jpeg-header'
import { orientationOf } from './orientation'
import { planOf } from './resample/resample'
import { middleOf, shrunkBy } from './shrink'

/** What is read of the image for the first input, to what it is shrunk meanwhile, and what becomes of that for each. */
export function planFor(header: Header, inputs: InputSpec[]) {
  const { width, height, format } = header
  const orientation = orientationOf(header.orientation)
  const shortSide = inputs[0] && 'resizeShortSide' in inputs[0] && inputs[0].resizeShortSide
  const region = shortSide ? middleOf(header, shortSide) : { left: 0, top: 0, width, height }
  const wanted = inputs.map((input) => scaledSize(region, input))
  const shrunk = shrunkBy(region, wanted[0] as Size, format === 'jpeg' && isAllOf(header, region))
  const plans = inputs.map((input, index) => {
    const scaled = wanted[index] as Size
    const cut = cutOf(scaled, input, orientation)
    const { extent } = shrunk
    const resizing = { scaled, region: cut, kernel: input.kernel, extent, columnsFirst: orientation.swapped }
    return { plan: planOf(shrunk, resizing), cut }
  })
  return { region, shrunk, plans }
}

export const isAllOf = ({ width, height }: Size, region: Size): boolean =>
  region.width === width && region.height === height

/** More pixels than photos of usual shape are shrunk to. */
const mostShared = 4_000_000

/** Whether what is read for an input serves others, too: all of the image, and small. */
export function isShared(header: Header, input: InputSpec): boolean {
  const { region, shrunk } = planFor(header, [input])
  return isAllOf(header, region) && shrunk.width * shrunk.height <= mostShared
}
