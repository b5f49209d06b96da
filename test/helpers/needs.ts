/**
 * `describe` and `it` for tests with optional prerequisites. Without them, the tests are skipped with the reason in
 * their title, which the summary of a run lists.
 * @param missing why the tests cannot run here; falsy if they can
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
