import { readLabelView } from '../../batch/reports/labels-file'
import { hintOf, WhisklensError } from '../../errors'
import { type LabelView, modelsLabels } from '../../labels/view'
import type { Bucket } from '../../storage/store'
import type { Format, ResultsRequest } from './request'

interface Chosen {
  view: LabelView
  /** Why `labels.json` in the results bucket is not used. */
  notice?: Pick<WhisklensError, 'code' | 'message' | 'hint'>
}

/**
 * How an answer displays labels. If `labels.json` is invalid, the gallery displays the model's labels with a notice.
 * @throws WhisklensError for an export, which cannot carry a notice
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
