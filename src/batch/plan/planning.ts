import type { ImageRef } from '../../schema'
import type { Bucket } from '../../storage/store'
import { missingImages, type Step, type Walked, type WalkOptions } from './missing'
import type { Plan } from './plan'

/** Where planning stands after some image. */
export type Position = Walked & Pick<Plan, 'chunkSize' | 'cuts'>

/**
 * A chunk to be written, and where planning stands after it. An empty one only says how far planning has come, or that
 * it is done.
 */
export interface PlannedChunk {
  images: ImageRef[]
  /** Records by the keys of their images, which no listing has any more; none where only some images are meant. */
  gone: string[]
  position: Position
}

/** A batch too small for full chunks is still spread over so many activations, of at least so many images. */
const fanOut = 8
const smallestChunk = 4

/** What is missing waits for more of it during so many looks: a walk of one activation has to come further than that. */
const mostLooks = 200

/**
 * Walks on through the source listing from the plan's cursor, in chunks of what has to be classified. The plan itself
 * is left alone: whoever has written a chunk moves it on to `position`, and so chunk and plan always agree.
 */
export async function* planChunks(
  plan: Plan,
  images: Bucket,
  results: Bucket,
  options?: WalkOptions,
): AsyncGenerator<PlannedChunk> {
  let { chunkSize, cuts } = plan
  let pending: Step[] = []
  let first = plan.planned === (cuts?.at(-1)?.end ?? plan.passes.at(-1))
  let reached: Walked = walkedOf(plan)
  let looks = 0
  const gone: string[] = []
  // What is gone may lie ahead of the position: it takes no part in it, and seen twice it is the same.
  const chunkOf = (steps: Step[]): PlannedChunk => ({
    images: steps.flatMap(({ image }) => image ?? []),
    gone: gone.splice(0),
    position: { ...reached, chunkSize, cuts },
  })
  for await (const step of missingImages(plan, images, results, options)) {
    gone.push(...step.gone)
    const { done } = step.position
    if (step.image || done) pending.push(step)
    // What is pending must not be passed by: it would be lost if planning went on from there in another activation.
    else if (pending.length === 0) reached = step.position
    else looks++
    const missing = pending.length - Number(done)
    const isMany = missing > fanOut * plan.largestChunk
    const isLate = looks > mostLooks
    // All of a small batch is seen before its first chunk; later chunks must be of the first one's size.
    if (!first || done || isMany || isLate) {
      const size = !first ? chunkSize : isMany ? plan.largestChunk : spread(missing, chunkSize)
      // Nothing is to wait for ever: chunks of another size come first, and all is open again behind them.
      const isCut = isLate && missing <= (first ? fanOut * chunkSize : chunkSize)
      const before = cuts?.filter(({ end }) => end > plan.next) ?? []
      while (pending.length >= (done || isCut ? 1 : size)) {
        const steps = pending.slice(0, size)
        pending = pending.slice(size)
        reached = (pending.length === 0 ? step : (steps.at(-1) ?? step)).position
        looks = 0
        if (isCut) cuts = [...before, { end: reached.planned, chunkSize: size }]
        else chunkSize = size
        yield chunkOf(steps)
      }
      first = isCut
    }
    if (!step.image && !done) yield chunkOf([])
  }
}

const spread = (count: number, chunkSize: number): number =>
  Math.min(chunkSize, Math.max(smallestChunk, Math.ceil(count / fanOut)))

const walkedOf = ({ listed, skipped, planned, cursor, done, swept }: Plan): Walked => ({
  listed,
  skipped,
  planned,
  cursor,
  done,
  swept,
})
