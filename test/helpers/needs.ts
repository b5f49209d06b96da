/**
 * `describe` and `it` for tests that need what is not everywhere. Where something is missing they skip, and their title
 * says why: the closing lines of a run list them from there.
 * @param missing why the tests cannot run here; nothing when they can
 * @example needs(!existsSync(browser) && `${browser} is not there`).describe('the gallery', () => { … })
 */
export function needs(missing: string | false | undefined) {
  const skipped = (name: string): string => `${name} (skipped: ${missing})`
  return {
    describe: (name: string, tests: () => void): void =>
      missing ? describe.skip(skipped(name), tests) : describe(name, tests),
    it: (name: string, test: () => Promise<void>): void =>
      missing ? it.skip(skipped(name), test) : it(name, test),
  }
}
