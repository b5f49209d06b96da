// Suites that take minutes: CI runs them reduced, `npm run check:full` at full size. There each takes all cores by itself;
// reduced, some of them mostly wait.
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/long/**/*.test.ts'],
  maxWorkers: process.env.WHISKLENS_FULL ? 1 : 2,
}
