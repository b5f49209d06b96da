// Suites that take minutes: CI runs them reduced, `npm run check:full` at full size. One at a time, for each takes all
// cores by itself.
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/long/**/*.test.ts'],
  maxWorkers: 1,
}
