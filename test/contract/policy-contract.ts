import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { allowed, documents, expectedOf, type Guarded, outcomes, prepare } from '../helpers/policy-cases'

export const policies = Object.keys(allowed)

/** A policy of the table: a file in `docs/policies/`, or an inline document. */
export async function documentOf(policy: string): Promise<object> {
  const file = join(__dirname, '..', '..', 'docs', 'policies', `${policy}.json`)
  return documents[policy] ?? JSON.parse(await readFile(file, 'utf8'))
}

/**
 * Runs the table of calls against a store.
 * @param differences outcomes that differ from the table, by policy and call
 */
export function policyContract(
  connect: () => Promise<Guarded & { close(): Promise<void> }>,
  differences: Record<string, Record<string, string>> = {},
): void {
  let store: Awaited<ReturnType<typeof connect>>

  beforeAll(async () => {
    store = await connect()
    await prepare(store)
  })
  afterAll(() => store.close())

  it.each(policies)('allows what the policy "%s" allows, and nothing else', async (policy) => {
    expect(await outcomes(store, policy)).toEqual({ ...expectedOf(policy), ...differences[policy] })
  })
}
