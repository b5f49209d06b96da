import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ErrorCode, errorCodes, errorKind } from '../../src/error-codes'
import { hintOf, WhisklensError } from '../../src/errors'
import { wrapAction } from '../../src/openwhisk/action'
import { errorResponse } from '../../src/openwhisk/web'

const root = join(__dirname, '..', '..')
const codes = Object.keys(errorCodes) as ErrorCode[]
/** The text of all TypeScript files in the given folders, except one. */
const textOf = (folders: string[], but: string): string =>
  folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && file !== but)
        .map((file) => readFileSync(join(root, folder, file), 'utf8')),
    )
    .join('\n')

const sources = textOf(['src', 'actions', 'triggers'], 'error-codes.ts')
const tests = textOf(['test'], join('unit', 'errors.test.ts'))

describe('every code in the table', () => {
  it.each(codes)('%s is thrown', (code) => {
    // First argument of an error, return value of a function, or `code` field of an error as data.
    const places = [
      `(?:Error|super)\\(\\s*'${code}'`,
      `return '${code}'`,
      `code(?:: ErrorCode)?(?::| =) '${code}'`,
    ]
    expect(sources).toMatch(new RegExp(places.join('|')))
  })

  it.each(codes)('%s is expected by a test', (code) => {
    expect(tests).toMatch(new RegExp(`['(]${code}['),\\\\]`))
  })

  it.each(codes)('%s determines the HTTP status of a web action’s answer, and its hint', (code) => {
    const { status, hint } = errorKind(code)
    expect(errorResponse(new WhisklensError(code, 'No'))).toMatchObject({
      statusCode: status,
      body: { error: { code, message: 'No', hint } },
    })
  })
})

describe('a hint', () => {
  it('is the error’s own, if it has one', () => {
    expect(hintOf(new WhisklensError('batch_in_use', 'No', { hint: 'Wait.' }))).toBe('Wait.')
    expect(hintOf(new WhisklensError('batch_in_use', 'No'))).toBe(errorCodes.batch_in_use.hint)
  })

  it('ends the error of an action', async () => {
    const main = wrapAction(() =>
      Promise.reject(new WhisklensError('batch_not_found', 'There is no batch "b"')),
    )
    expect(await main({})).toEqual({
      error: `There is no batch "b" (batch_not_found). ${errorCodes.batch_not_found.hint}`,
    })
  })
})

it('an error is retryable if its code is, unless it says otherwise', () => {
  expect(new WhisklensError('batch_in_use', 'No').retryable).toBe(true)
  expect(new WhisklensError('store_failed', 'No').retryable).toBe(false)
  expect(new WhisklensError('store_failed', 'No', { retryable: true }).retryable).toBe(true)
})
