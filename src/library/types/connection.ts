/**
 * Addresses and keys of OpenWhisk and the object store. Missing ones come from `WHISKLENS_…` variables, `whisklens.config.json` in
 * the working folder, a running local mode, and `~/.wskprops`, as for the command line.
 */
export interface ConnectionOptions {
  /** URL of the OpenWhisk API. */
  apiHost?: string
  /** API key: `uuid:key`. */
  auth?: string
  /** Default: `_`, the namespace of the key. */
  namespace?: string
  /** Data folder of a running local mode. Default: `.whisklens`. */
  dataDir?: string
  /** URL of an S3-compatible object store. */
  s3Endpoint?: string
  s3Region?: string
  s3AccessKeyId?: string
  s3SecretAccessKey?: string
  /** For temporary credentials. */
  s3SessionToken?: string
  imagesBucket?: string
  resultsBucket?: string
  /** Certificates of a private certificate authority, PEM. */
  ca?: string
}
