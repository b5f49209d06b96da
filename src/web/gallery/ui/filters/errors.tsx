import { useGallery } from '../context'
import { text } from '../strings'
import { CountRow } from './labels'

/** Errors by code; each filters its images. */
export function ErrorFilter() {
  const { filters, result } = useGallery()
  const { code } = filters.now.value
  const counts = result.value.codes
  const codes =
    code && !counts.some(({ name }) => name === code) ? [{ name: code, count: 0 }, ...counts] : counts
  if (codes.length === 0) return null
  const greatest = Math.max(1, ...codes.map((error) => error.count))
  return (
    <section class="filter errors" id="errors" aria-labelledby="errors-title">
      <h3 id="errors-title">{text.filters.errorCodes}</h3>
      <ol class="counts">
        {codes.map(({ name, count }) => (
          <CountRow
            key={name}
            name={name}
            value={count}
            greatest={greatest}
            isChosen={code === name}
            choose={() =>
              filters.set(
                code === name ? { code: '', status: '' } : { code: name, status: 'error', labels: [] },
              )
            }
          />
        ))}
      </ol>
    </section>
  )
}
