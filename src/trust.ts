import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { Agent, type AgentOptions } from 'node:https'
import * as tls from 'node:tls'
import { InvalidInputError } from './errors'

/** What https connections trust, and the client's certificate. */
export interface Trust {
  /** Additional authorities, PEM. */
  ca?: string
  /** Skip certificate checks; set only by `--insecure`. */
  insecure?: boolean
  /** The client certificate and key, PEM, for servers that request one. */
  cert?: string
  key?: string
}

const blocks = /-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----/gs

/** Finds PEM of any kind in a text, which may be in base64. */
export const pemIn = (text: string): string | undefined =>
  [text, Buffer.from(text, 'base64').toString('latin1')].find((pem) => pem.includes('-----BEGIN '))

/**
 * Extracts certificates as clean PEM and drops everything else, such as a private key. In an environment variable line
 * breaks may have become `\n` or spaces, and the whole text may be in base64.
 * @throws InvalidInputError when there is none, or one that cannot be parsed
 */
export function certificatesIn(text: string): string {
  const found = pemIn(text)?.matchAll(blocks) ?? []
  const bodies = [...found].map(([, body = '']) => body.replace(/\\[nr]|\s/g, ''))
  if (bodies.length === 0) {
    throw new InvalidInputError('bad_setting', 'WHISKLENS_CA contains no certificate', {
      hint: 'Set it to the PEM of the authority: export WHISKLENS_CA="$(cat ca.pem)". The command line also takes the path.',
    })
  }
  return bodies.map(certificate).join('')
}

function certificate(body: string): string {
  try {
    return new X509Certificate(Buffer.from(body, 'base64')).toString()
  } catch (cause) {
    throw new InvalidInputError('bad_setting', 'WHISKLENS_CA contains a certificate that cannot be parsed', {
      hint: 'The PEM may be truncated or edited. Check the file: openssl x509 -in ca.pem -noout.',
      cause,
    })
  }
}

/** The authorities that Node.js trusts by default. Older releases list only bundled ones. */
function defaultAuthorities(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] }
  if (getCACertificates) return getCACertificates('default')
  const { NODE_EXTRA_CA_CERTS: file = '' } = process.env
  return existsSync(file) ? [...tls.rootCertificates, readFileSync(file, 'utf8')] : tls.rootCertificates
}

/** Options for node:tls. Parsing all authorities takes 40 ms, so connections share a context. */
export function tlsOptions({ ca, insecure = false, cert, key }: Trust) {
  const secureContext = tls.createSecureContext({
    ca: ca === undefined ? undefined : [...defaultAuthorities(), ca],
    cert,
    key,
  })
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn the check off.
  return { secureContext, rejectUnauthorized: !insecure }
}

/** @returns a function that keeps one agent per trust, so that warm containers reuse connections */
export function agentsFor(options: AgentOptions): (trust: Trust) => Agent {
  const agents = new Map<string, Agent>()
  return ({ ca, insecure, cert, key }) => {
    const name = JSON.stringify([ca, insecure, cert, key])
    const agent = agents.get(name) ?? new Agent({ ...options, ...tlsOptions({ ca, insecure, cert, key }) })
    agents.set(name, agent)
    return agent
  }
}

const command = 'the command line also takes --insecure'
const hints: [RegExp, string][] = [
  [/does not match certificate's altnames/, `Address the server by a name in its certificate; ${command}.`],
  [
    /certificate (has expired|is not yet valid)/,
    `The server needs a valid certificate, or a clock is wrong; ${command}.`,
  ],
  [
    // Two words, so that a host name in the message does not match.
    /self.signed certificate|(issuer|first|CA|peer) certificate|certificate (chain|signature|revoked|rejected|not|key)/,
    `Set WHISKLENS_CA to the certificate of its authority, in PEM; ${command}.`,
  ],
]

/**
 * The hint for an untrusted server certificate. Matches messages of OpenSSL and Node.js: the OpenWhisk client keeps
 * nothing else.
 * @returns undefined for other failures
 */
export function hintIfUntrusted(message: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(message))?.[1]
}
