import { isUploads } from '../../batch/uploads/day'
import { batchIdSchema } from '../../schema'

/** The id of a batch that was fired, not that of a day's uploads. */
export const firedBatchSchema = batchIdSchema.refine(
  (batch) => !isUploads(batch),
  'The uploads of a day are not a fired batch: they close after midnight',
)
