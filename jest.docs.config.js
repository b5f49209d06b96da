// The pages of the docs are the tests: `npm run test:docs -- tutorial` runs one of them. Each has a local mode of its own.
const {
  moduleFileExtensions = ['js', 'mjs', 'cjs', 'jsx', 'ts', 'mts', 'cts', 'tsx', 'json', 'node'],
  ...own
} = require('./jest.config')

module.exports = {
  ...own,
  testMatch: ['<rootDir>/README.md', '<rootDir>/docs/**/*.md', '<rootDir>/test/docs/**/*.test.ts'],
  moduleFileExtensions: [...moduleFileExtensions, 'md'],
  transform: { ...own.transform, '\\.md$': '<rootDir>/test/docs/page-as-test.js' },
  globalSetup: '<rootDir>/test/docs/setup.ts',
  globalTeardown: '<rootDir>/test/docs/teardown.ts',
  // A block may download, compile or wait for a batch.
  testTimeout: 300_000,
}
