import { emptyIndex, openIndexBuilder } from '../../src/batch/reports/index-builder'
import { type LabelView, modelsLabels } from '../../src/labels/view'
import type { BatchSummary, ImageRecord } from '../../src/schema'
import type { IndexAnswer } from '../../src/web/gallery/contract'
import { withKinds } from '../../src/web/results/with-kinds'

/** An index as in the action's answer, and a store that serves it. */
export function indexOf(records: ImageRecord[], { blockRows = 100, view = modelsLabels as LabelView } = {}) {
  const soFar = emptyIndex()
  const builder = openIndexBuilder(soFar)
  const blocks: Buffer[] = []
  records.forEach((record, row) => {
    builder.add(record, `${JSON.stringify(record)}\n`)
    if ((row + 1) % blockRows === 0) blocks.push(builder.block())
  })
  blocks.push(builder.block())
  const body = Buffer.concat([...blocks, builder.end()])
  const { directory } = soFar
  const answer: IndexAnswer = {
    summary: { batch: 'photos' } as BatchSummary,
    index: {
      ...withKinds(directory),
      id: 'index',
      etag: 'etag',
      url: 'http://store/results/index.bin',
      isPartial: false,
    },
    shown: view.verdict && directory.labels.map((label) => view.verdict?.(label) ?? never()),
    took: 1,
  }
  const asked: string[] = []
  const fetcher: typeof fetch = async (_, init) => {
    const range = new Headers(init?.headers).get('range') ?? ''
    asked.push(range)
    const [from = 0, to = 0] = range.slice('bytes='.length).split('-').map(Number)
    return new Response(new Uint8Array(body.subarray(from, to + 1)), { status: 206 })
  }
  return { answer, fetcher, asked, bytes: body.length }
}

const never = (): never => {
  throw new Error('the view has no verdict')
}
