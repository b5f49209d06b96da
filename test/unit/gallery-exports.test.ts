import { signal } from '@preact/signals-core'
import { exportsOf } from '../../src/web/gallery/data/exports'
import { noFilters } from '../../src/web/gallery/data/gallery'
import type { PhotoIndex } from '../../src/web/gallery/data/photo-index'
import { noResult } from '../../src/web/gallery/data/result'
import { selectionOf } from '../../src/web/gallery/data/selection'

describe('export URLs', () => {
  const result = signal({
    ...noResult,
    total: 9000,
    rows: Uint32Array.from({ length: 9000 }, (_, row) => row),
  })
  const filters = { now: signal(noFilters) } as never
  const action = { urlOf: (query: object) => JSON.stringify(query) } as never
  const index = signal({ id: 'i', batch: 'b' } as PhotoIndex)

  it('name the selected rows', () => {
    const selection = selectionOf(result)
    selection.click(3)
    selection.click(5, { range: true })
    selection.click(9, { toggle: true })
    const { urlOf } = exportsOf(action, index, filters, result, selection)
    expect(urlOf('selected', 'csv')).toBe('{"batch":"b","format":"csv","index":"i","rows":"3-5,9"}')
  })

  it('use filters instead of rows if everything filtered is selected', () => {
    const selection = selectionOf(result)
    selection.all()
    const { urlOf } = exportsOf(action, index, filters, result, selection)
    expect(urlOf('selected', 'csv')).toBe('{"batch":"b","format":"csv"}')
  })

  it('are not available for scattered or empty selections', () => {
    const selection = selectionOf(result)
    const { urlOf } = exportsOf(action, index, filters, result, selection)
    expect(urlOf('selected', 'csv')).toMatchObject({ code: 'nothing_selected' })
    for (let row = 0; row < 9000; row += 2) selection.click(row, { toggle: true })
    expect(urlOf('selected', 'csv')).toMatchObject({ code: 'too_scattered' })
    expect(urlOf('shown', 'csv')).toBe('{"batch":"b","format":"csv"}')
  })
})
