/** 9 s of work. At 60 activations a minute, which is OpenWhisk's own limit, 15,000 images. */
const defaultLargest = 250

/** What there is to do is spread over so many activations at least, before chunks become as large as they may. */
const fanOut = 32

/** A few images are shared by a few containers: an activation of its own for each would take longer. */
const few = 8
const smallest = 4

/** The sizes of chunks: large where there is much to do, small for a small batch. */
export interface Sizes {
  largest: number
  /** From so many missing images on, chunks are as large as they may be. */
  enough: number
  /** The sizes of the chunks that so many images become, in order. @param isMany more were before them */
  spread(images: number, isMany?: boolean): number[]
}

/** @param asked images in a chunk at most, where the request says so */
export function sizesOf(asked?: number): Sizes {
  const largest = asked ?? defaultLargest
  const activations = asked === undefined ? fanOut : few
  return {
    largest,
    enough: activations * largest,
    spread: (images, isMany = false) => {
      const small = Math.max(smallest, Math.min(few, Math.ceil(images / few)))
      const size = isMany ? largest : Math.min(largest, Math.max(small, Math.ceil(images / activations)))
      return Array.from({ length: Math.ceil(images / size) }, (_, n) => Math.min(size, images - n * size))
    },
  }
}
