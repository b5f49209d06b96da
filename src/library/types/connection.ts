/**
 * Where OpenWhisk and the object store are. What is not given comes from `WHISKLENS_…` variables, `whisklens.config.json` in the
 * working folder, a running local mode, and `~/.wskprops`, as for the command line.
 */
export interface ConnectionOptions {
  /** URL of the OpenWhisk API. */
  apiHost?: string
  /** Its API key: `uuid:key`. */
  auth?: string
  /** `_`, the one that the key belongs to, unless given. */
  namespace?: string
  /** Data folder of a running local mode; `.whisklens` unless given. */
  dataDir?: string
  /** URL of an S3-compatible object store. */
  s3Endpoint?: string
  s3Region?: string
  s3AccessKeyId?: string
  s3SecretAccessKey?: string
  /** Of temporary credentials. */
  s3SessionToken?: string
  imagesBucket?: string
  resultsBucket?: string
  /** Certificates of a private authority, PEM. */
  ca?: string
}
