import { readLabelView } from '../../batch/reports/labels-file'
import { hintOf, WhisklensError } from '../../errors'
import { type LabelView, modelsLabels } from '../../labels/view'
import type { Bucket } from '../../storage/store'
import type { Format, ResultsRequest } from './request'

interface Chosen {
  view: LabelView
  /** Why it is not that of the results bucket. */
  notice?: Pick<WhisklensError, 'code' | 'message' | 'hint'>
}

/**
 * How an answer shows labels. Where `labels.json` cannot be used, the gallery has the model's labels, and says so.
 * @throws WhisklensError for an export, which has no place to say so
 */
export async function chooseView(
  results: Bucket,
  { labels }: Pick<ResultsRequest, 'labels'>,
  format: Format,
): Promise<Chosen> {
  if (labels === 'model') return { view: modelsLabels }
  try {
    return { view: await readLabelView(results) }
  } catch (thrown) {
    if (!['json', 'index'].includes(format) || !(thrown instanceof WhisklensError)) throw thrown
    const { code, message } = thrown
    return { view: modelsLabels, notice: { code, message, hint: hintOf(thrown) } }
  }
}
