import * as z from 'zod'
import { encryptionSchema, settingNames } from './config'

/** Connection data of a running local mode: printed by `up --json`, stored as `connection.json`. */
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
    /** Encryption that the store requires of every write. */
    encryption: encryptionSchema.optional(),
  }),
  imagesBucket: z.string(),
  resultsBucket: z.string(),
  /** URL of the gallery, with its token and, in the fragment (not sent to servers), the owner's secret. */
  gallery: z.string(),
  webToken: z.string(),
  /** Path of a wsk configuration, for WSK_CONFIG_FILE. */
  wskprops: z.string(),
})
export type Connection = z.infer<typeof connectionSchema>

/** `connection.json`: also the settings that the local mode deployed, such as the limited key of its actions. */
export const connectionFileSchema = connectionSchema.extend({
  deployed: z.partialRecord(z.enum(settingNames), z.string()),
})
export type ConnectionFile = z.infer<typeof connectionFileSchema>
