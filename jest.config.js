// Sources are ES modules; Jest runs them as CommonJS through swc, and so does every ESM-only dependency named here.
const esmOnly = [
  'p-limit',
  'yocto-queue',
  'p-retry',
  'is-network-error',
  'hono',
  '@hono',
  'hyparquet',
  'hyparquet-writer',
  'preact',
  '@preact',
]

module.exports = {
  testEnvironment: '<rootDir>/test/environment.js',
  testMatch: ['<rootDir>/test/{unit,contract,e2e,simulation}/**/*.test.ts'],
  transform: {
    '^.+\\.(ts|js|mjs)$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }],
  },
  transformIgnorePatterns: [`node_modules/(?!(${esmOnly.join('|')})/)`],
  globalSetup: '<rootDir>/test/global-setup.ts',
  reporters: ['default', '<rootDir>/test/closing-line.js'],
  // Many suites wait for processes of their own; Jest would leave one core of two unused.
  maxWorkers: '100%',
  testTimeout: 120_000,
  // Milliseconds. A process that has loaded engines takes a while to free them; what still runs after that was left open.
  workerGracefulExitTimeout: 10_000,
}
