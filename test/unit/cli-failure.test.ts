import { reportFailure } from '../../src/cli/shared/failure'
import { InvalidInputError } from '../../src/errors'

let stderr: string

beforeEach(() => {
  stderr = ''
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text
    return true
  })
})

afterEach(() => {
  jest.restoreAllMocks()
  delete process.env.DEBUG
})

describe('an error', () => {
  it('that is unexpected has a line and a hint, without a stack trace', () => {
    expect(reportFailure(new TypeError('x is not a function'), ['status'])).toBe(1)
    expect(stderr).toMatch(/^error: x is not a function\nhint: This is a bug in Whisklens\. .*\n$/)
  })

  it('has a stack trace with DEBUG=whisklens', () => {
    process.env.DEBUG = 'whisklens'
    reportFailure(new TypeError('x is not a function'), ['status'])
    expect(stderr).toMatch(/^error: .*\nhint: .*\nTypeError: x is not a function\n {4}at /)
  })

  it('is one line without control characters', () => {
    reportFailure(new InvalidInputError('bad_model', '✖ Invalid input\n  → at task\u001b[2J', {}), ['model'])
    expect(stderr.split('\n')[0]).toBe('error: ✖ Invalid input → at task\\x1b[2J')
  })

  it('is one line of JSON with --json', () => {
    reportFailure(new Error('two\nlines'), ['status', '--json'])
    expect(stderr).toMatch(/^{.*}\n$/)
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'internal', message: 'two\nlines' })
  })
})
