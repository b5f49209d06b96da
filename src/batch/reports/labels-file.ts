import { parseLabelRules } from '../../labels/rules'
import { type LabelView, labelView, modelsLabels } from '../../labels/view'
import type { Bucket } from '../../storage/store'

/** Key of the rules for showing labels. */
export const labelsKey = 'labels.json'

/**
 * Reads how labels are to be shown; without rules, as the model names them.
 * @throws WhisklensError `bad_labels`
 */
export async function readLabelView(results: Bucket): Promise<LabelView> {
  const found = await results.find(labelsKey)
  if (!found) return modelsLabels
  return labelView(parseLabelRules(found.body.toString('utf8'), `s3://${results.name}/${labelsKey}`))
}
