import { createHmac } from 'node:crypto'
import { isSameSecret } from '../../same-secret'
import { sha256Of } from '../../sha256'
import { encoded, encodedPath, header, type S3Request } from './request'
import { s3Error } from './s3-error'

export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  /** For temporary credentials; required on each request. */
  sessionToken?: string
}

/** Result of a checked signature, for reading the body: its hash or chunking, and the signing key. */
export interface Signing {
  payload: string
  key: Buffer
  date: string
  scope: string
  signature: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const payloads = /^([\da-f]{64}|UNSIGNED-PAYLOAD|STREAMING-(UNSIGNED|AWS4-HMAC-SHA256)-PAYLOAD(-TRAILER)?)$/
const maxSkew = 15 * 60 * 1000
const maxExpiry = 7 * 24 * 3600

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** Signature of `lines`, such as a chunk of a body. */
export const signatureOf = (key: Buffer, lines: string[]) => hmac(key, lines.join('\n')).toString('hex')

interface Claim {
  credential: string
  signedHeaders: string[]
  signature: string
  date: string
  /** For temporary credentials. */
  token?: string
  /** Presigned requests only, seconds. */
  expires?: string
}

function claimOf(request: S3Request): Claim {
  const { query } = request
  if (query.has('X-Amz-Signature')) {
    if (query.get('X-Amz-Algorithm') !== algorithm) throw s3Error('InvalidRequest', `Expected ${algorithm}`)
    return {
      credential: query.get('X-Amz-Credential') ?? '',
      signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
      signature: query.get('X-Amz-Signature') ?? '',
      date: query.get('X-Amz-Date') ?? '',
      token: query.get('X-Amz-Security-Token') ?? undefined,
      expires: query.get('X-Amz-Expires') ?? '',
    }
  }
  // Version 2, which some clients still use for presigned URLs, gets a message that says what to set.
  const authorization = header(request, 'authorization') ?? (query.has('AWSAccessKeyId') ? 'AWS' : undefined)
  if (authorization === undefined) throw s3Error('AccessDenied')
  if (!authorization.startsWith(`${algorithm} `)) {
    throw s3Error('InvalidRequest', `The authorization mechanism is not supported. Use ${algorithm}.`)
  }
  const field = (name: string): string => new RegExp(`[ ,]${name}=([^, ]*)`).exec(authorization)?.[1] ?? ''
  return {
    credential: field('Credential'),
    signedHeaders: field('SignedHeaders').split(';'),
    signature: field('Signature'),
    date: header(request, 'x-amz-date') ?? '',
    token: header(request, 'x-amz-security-token'),
  }
}

/** Parses `20260131T235959Z` to milliseconds; NaN for other texts. */
const timeOf = (date: string): number =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

function checkTime({ date, expires }: Claim, now: number): void {
  const time = timeOf(date)
  if (Number.isNaN(time)) throw s3Error('AccessDenied', 'The request has no valid date (x-amz-date)')
  if (expires === undefined) {
    if (Math.abs(now - time) > maxSkew) throw s3Error('RequestTimeTooSkewed')
    return
  }
  if (!/^\d{1,6}$/.test(expires) || Number(expires) < 1 || Number(expires) > maxExpiry) {
    throw s3Error('AuthorizationHeaderMalformed', `X-Amz-Expires must be from 1 to ${maxExpiry} seconds`)
  }
  if (time > now + maxSkew) throw s3Error('AccessDenied', 'Request is not valid yet')
  if (time + Number(expires) * 1000 < now) throw s3Error('AccessDenied', 'Request has expired')
}

/** Builds the canonical request; one character per byte, as node reads headers. */
function canonicalRequest(request: S3Request, { signedHeaders }: Claim, payload: string): string {
  const { method, path, query, incoming } = request
  const pairs = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
  const headers = signedHeaders.map((name) => {
    const values = incoming.headersDistinct[name] ?? []
    return `${name}:${values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')}\n`
  })
  return [
    method,
    encodedPath(path),
    pairs.map((pair) => pair.join('=')).join('&'),
    headers.join(''),
    signedHeaders.join(';'),
    payload,
  ].join('\n')
}

function checkSignedHeaders(request: S3Request, { signedHeaders }: Claim): void {
  const unsigned = Object.keys(request.headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signedHeaders.includes(name),
  )
  if (unsigned.length > 0) throw s3Error('AccessDenied', `Headers were not signed: ${unsigned.join(', ')}`)
}

function checkToken({ token }: Claim, { sessionToken }: Credentials): void {
  // As on S3, a temporary key is unknown without its token.
  if (sessionToken !== undefined && token === undefined) throw s3Error('InvalidAccessKeyId')
  if (token !== undefined && !(sessionToken && isSameSecret(token, sessionToken)))
    throw s3Error('InvalidToken')
}

/**
 * Checks the version 4 signature in the headers or the query of a request.
 * @returns the user of the key, and what is needed to read the body
 * @throws HttpError as on S3 for an invalid signature
 */
export function authenticate<User extends Credentials>(
  request: S3Request,
  region: string,
  users: readonly User[],
  now = Date.now(),
): { user: User; signing: Signing } {
  const claim = claimOf(request)
  const [keyId, day = '', ...rest] = claim.credential.split('/')
  const scope = `${day}/${region}/s3/aws4_request`
  if (`${day}/${rest.join('/')}` !== scope || !claim.date.startsWith(day)) {
    throw s3Error(
      'AuthorizationHeaderMalformed',
      `The credential must be <key id>/<yyyymmdd>/${region}/s3/aws4_request`,
    )
  }
  const user = users.find(({ accessKeyId }) => accessKeyId === keyId)
  if (!user) throw s3Error('InvalidAccessKeyId')
  checkToken(claim, user)
  const payload = header(request, 'x-amz-content-sha256') ?? (claim.expires ? 'UNSIGNED-PAYLOAD' : '')
  if (!payloads.test(payload)) throw s3Error('InvalidArgument', 'x-amz-content-sha256 is not valid')
  checkTime(claim, now)
  checkSignedHeaders(request, claim)
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${user.secretAccessKey}`),
  )
  const canonical = Buffer.from(canonicalRequest(request, claim, payload), 'latin1')
  const expected = signatureOf(key, [algorithm, claim.date, scope, sha256Of(canonical)])
  if (!isSameSecret(claim.signature, expected)) throw s3Error('SignatureDoesNotMatch')
  return { user, signing: { payload, key, date: claim.date, scope, signature: expected } }
}
