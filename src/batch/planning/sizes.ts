/** 10 s of work. At 60 activations a minute, OpenWhisk's default limit, 15,000 images. */
const defaultLargest = 250

/** Used when invocations are scarce. `classify` has time for 500 images of 200 ms each, and room for their records. */
const pacedLargest = 500

/** A batch is spread over at least this many activations before chunks grow to full size. */
const fanOut = 32

/** Small batches use few containers: starting one for each image would take longer. */
const few = 8
const smallest = 4

/** A page of a listing: with this many images due, the first chunks are dispatched before more is listed. */
const page = 1_000

/** Chunk sizes: large for large batches, small for small ones. */
export interface Sizes {
  readonly largest: number
  /** Images due from which on chunks have the full size. */
  fullSizeFrom: number
  /** The sizes of the first chunks, cut once `from` images are due. */
  first: { from: number; sizes: number[] }
  /** The sizes of the chunks for this many images. @param isMany more came before them */
  spread(images: number, isMany?: boolean): number[]
}

/**
 * @param asked images per chunk, when the request sets it
 * @param isPaced whether the platform is known to limit invocations per minute
 */
export function sizesOf(asked?: number, isPaced = () => false): Sizes {
  const fullSizeFrom = asked === undefined ? fanOut * defaultLargest : few * asked
  const activations = asked === undefined ? fanOut : few
  const sizes: Sizes = {
    get largest() {
      return asked ?? (isPaced() ? pacedLargest : defaultLargest)
    },
    fullSizeFrom,
    first: {
      from: page,
      sizes: asked === undefined ? Array.from({ length: few }, () => Math.ceil(page / fanOut)) : [],
    },
    spread: (images, isMany = false) => {
      const small = Math.max(smallest, Math.min(few, Math.ceil(images / few)))
      const size = isMany
        ? sizes.largest
        : Math.min(sizes.largest, Math.max(small, Math.ceil(images / activations)))
      return Array.from({ length: Math.ceil(images / size) }, (_, n) => Math.min(size, images - n * size))
    },
  }
  return sizes
}
