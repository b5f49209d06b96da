/** 10 s of work. At 60 activations a minute, which is OpenWhisk's own limit, 15,000 images. */
const defaultLargest = 250

/** Where invocations are what is scarce. `classify` has time for 500 images that take 200 ms, and room for their records. */
const pacedLargest = 500

/** What there is to do is spread over so many activations at least, before chunks become as large as they may. */
const fanOut = 32

/** A few images are shared by a few containers: an activation of its own for each would take longer. */
const few = 8
const smallest = 4

/** A page of a listing: from so many missing images on, a few containers begin before more are listed. */
const page = 1_000

/** The sizes of chunks: large where there is much to do, small for a small batch. */
export interface Sizes {
  readonly largest: number
  /** From so many missing images on, chunks are as large as they may be. */
  enough: number
  /** From so many missing images on, these chunks are begun with. */
  first: { from: number; sizes: number[] }
  /** The sizes of the chunks that so many images become, in order. @param isMany more were before them */
  spread(images: number, isMany?: boolean): number[]
}

/**
 * @param asked images in a chunk at most, where the request says so
 * @param isPaced whether the platform is known to take only so many invocations a minute
 */
export function sizesOf(asked?: number, isPaced = () => false): Sizes {
  const enough = asked === undefined ? fanOut * defaultLargest : few * asked
  const activations = asked === undefined ? fanOut : few
  const sizes: Sizes = {
    get largest() {
      return asked ?? (isPaced() ? pacedLargest : defaultLargest)
    },
    enough,
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
