import * as z from 'zod'
import { encryptionSchema } from './config'

/** How to reach a running local mode: the line that `up --json` prints, and the content of `connection.json`. */
export const connectionSchema = z.strictObject({
  apiHost: z.string(),
  /** `uuid:key`. */
  auth: z.string(),
  namespace: z.string(),
  s3: z.strictObject({
    endpoint: z.string(),
    region: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    /** What the store requires of every write. */
    encryption: encryptionSchema.optional(),
  }),
  imagesBucket: z.string(),
  resultsBucket: z.string(),
  /** URL of the gallery page, with its token and, in the fragment, which no server sees, the owner's secret. */
  gallery: z.string(),
  webToken: z.string(),
  /** Path of a file that `wsk` reads when WSK_CONFIG_FILE names it. */
  wskprops: z.string(),
})
export type Connection = z.infer<typeof connectionSchema>
