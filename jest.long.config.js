// Suites that take minutes: CI runs them reduced, `npm run check:full` at full size.
module.exports = { ...require('./jest.config'), testMatch: ['<rootDir>/test/long/**/*.test.ts'] }
