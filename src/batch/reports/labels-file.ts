import { parseLabelRules } from '../../labels/rules'
import { type LabelView, labelView, modelsLabels } from '../../labels/view'
import type { Bucket } from '../../storage/store'

/** How labels are shown to all who read the results. */
export const labelsKey = 'labels.json'

/**
 * How the results bucket wants labels to be shown: as the model named them where it says nothing.
 * @throws WhisklensError `bad_labels`
 */
export async function readLabelView(results: Bucket): Promise<LabelView> {
  const found = await results.find(labelsKey)
  if (!found) return modelsLabels
  return labelView(parseLabelRules(found.body.toString('utf8'), `s3://${results.name}/${labelsKey}`))
}
