import { isUploads } from '../../batch/uploads/day'
import { batchIdSchema } from '../../schema'

/** Id of a fired batch, as opposed to the uploads of a day. */
export const firedBatchSchema = batchIdSchema.refine(
  (batch) => !isUploads(batch),
  'Expected a fired batch: the uploads of a day close by themselves after midnight UTC',
)
