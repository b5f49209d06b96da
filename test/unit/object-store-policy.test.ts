import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { readPolicy } from '../../src/local/policies'
import { isAllowed, matches, parsePolicy } from '../../src/local/store/policy'

const folder = join(__dirname, '..', '..', 'docs', 'policies')

const allow = (Action: string | string[], Resource: string | string[]) => ({
  Effect: 'Allow',
  Action,
  Resource,
})
const deny = (Action: string, Resource: string) => ({ Effect: 'Deny', Action, Resource })
const document = (...Statement: object[]) => ({ Version: '2012-10-17', Statement })
const policy = (...statements: object[]) => parsePolicy(document(...statements))

const objects = 'arn:aws:s3:::images/*'

describe('a policy document', () => {
  it.each(readdirSync(folder).filter((name) => name !== 'cors.json'))(
    'in docs/policies is valid: %s',
    (file) => {
      const parsed = parsePolicy(JSON.parse(readFileSync(join(folder, file), 'utf8')))
      expect(parsed.Statement.length).toBeGreaterThan(0)
    },
  )

  it('may have one statement, one action and one resource without a list', () => {
    const one = {
      Version: '2012-10-17',
      Id: 'mine',
      Statement: { Sid: 'One', ...allow('s3:GetObject', '*') },
    }
    expect(parsePolicy(one)).toEqual({
      Version: '2012-10-17',
      Id: 'mine',
      Statement: [{ Sid: 'One', Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['*'] }],
    })
  })

  it.each([
    ['Condition', { Condition: { StringEquals: {} } }],
    ['NotAction', { NotAction: 's3:GetObject' }],
    ['NotResource', { NotResource: '*' }],
    ['Principal', { Principal: '*' }],
    ['Effect', { Effect: 'allow' }],
    ['Action', { Action: 'GetObject' }],
    ['Action', { Action: [] }],
    ['Action', { Action: undefined }],
    ['Resource', { Resource: 'images/*' }],
    ['Resource', { Resource: 'arn:aws:s3:::/x' }],
    ['Resource', { Resource: [] }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
    ['Resource', { Resource: 'arn:aws:s3:::images/${aws:username}/*' }],
  ])('with a %s that would be ignored is refused', (element, changes) => {
    const statement = { ...allow('s3:GetObject', objects), ...changes }
    expect(() => parsePolicy(document(statement))).toThrow(
      expect.objectContaining({ code: 'bad_policy', message: expect.stringContaining(element) }),
    )
    // Also beside a valid statement.
    expect(() => parsePolicy(document(allow('s3:*', '*'), statement))).toThrow(/policy/)
  })

  it.each([
    [{ Statement: [allow('s3:*', '*')] }],
    [{ Version: '2008-10-17', Statement: [allow('s3:*', '*')] }],
    [{ Version: '2012-10-17', Statement: [] }],
    [{ Version: '2012-10-17' }],
    [{ ...document(allow('s3:*', '*')), Statements: [] }],
    ['{}'],
    [null],
  ])('must be complete, unlike %j', (whole) => {
    expect(() => parsePolicy(whole)).toThrow('Unsupported policy')
  })
})

describe('a policy', () => {
  it('denies what it does not allow', () => {
    const read = policy(allow(['s3:GetObject'], [objects]))
    expect(isAllowed(read, 's3:GetObject', 'arn:aws:s3:::images/a/b.jpg')).toBe(true)
    expect(isAllowed(read, 's3:GetObject', 'arn:aws:s3:::results/a')).toBe(false)
    expect(isAllowed(read, 's3:GetObjectVersion', 'arn:aws:s3:::images/a')).toBe(false)
    expect(isAllowed(read, 's3:PutObject', 'arn:aws:s3:::images/a')).toBe(false)
    expect(isAllowed(read, 's3:ListBucket', 'arn:aws:s3:::images')).toBe(false)
  })

  it('requires action and resource in the same statement', () => {
    const two = policy(allow('s3:GetObject', objects), allow('s3:PutObject', 'arn:aws:s3:::results/*'))
    expect(isAllowed(two, 's3:PutObject', 'arn:aws:s3:::images/a')).toBe(false)
  })

  it('denies what any statement denies', () => {
    const statements = [allow('s3:*', '*'), deny('s3:Delete*', 'arn:aws:s3:::images/kept/*')]
    for (const order of [statements, [...statements].reverse()]) {
      expect(isAllowed(policy(...order), 's3:DeleteObject', 'arn:aws:s3:::images/kept/a')).toBe(false)
      expect(isAllowed(policy(...order), 's3:GetObject', 'arn:aws:s3:::images/kept/a')).toBe(true)
      expect(isAllowed(policy(...order), 's3:DeleteObject', 'arn:aws:s3:::images/a')).toBe(true)
    }
  })

  it('is case-sensitive for resources, not for actions', () => {
    const read = policy(allow('S3:getobject', objects))
    expect(isAllowed(read, 's3:GetObject', 'arn:aws:s3:::images/a')).toBe(true)
    expect(isAllowed(read, 's3:GetObject', 'arn:aws:s3:::Images/a')).toBe(false)
  })

  it('applies to a deployment’s own buckets', async () => {
    // Swapped names detect double replacement.
    const read = await readPolicy('actions', { imagesBucket: 'results', resultsBucket: 'images' })
    expect(isAllowed(read, 's3:PutObject', 'arn:aws:s3:::images/a')).toBe(true)
    expect(isAllowed(read, 's3:PutObject', 'arn:aws:s3:::results/a')).toBe(false)
    expect(isAllowed(read, 's3:ListBucketMultipartUploads', 'arn:aws:s3:::results')).toBe(false)
    expect(isAllowed(read, 's3:ListBucket', 'arn:aws:s3:::results')).toBe(true)
  })
})

describe('a pattern', () => {
  it('matches like an equivalent regular expression', () => {
    const some = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', '.'), maxLength: 8 })
    fc.assert(
      fc.property(some, some, (pattern, text) => {
        const expression = pattern.replace(/[./]/g, '\\$&').replace(/\*+/g, '[^]*').replaceAll('?', '[^]')
        expect(matches(pattern, text)).toBe(new RegExp(`^${expression}$`).test(text))
      }),
      { numRuns: 5000 },
    )
  })

  it('with many wildcards is matched in time', () => {
    expect(matches(`${'*a'.repeat(200)}b`, 'a'.repeat(1024))).toBe(false)
  })
})
