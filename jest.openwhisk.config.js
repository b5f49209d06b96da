// Suites about OpenWhisk and Whisklens on it, against the local API host or the server that WHISKLENS_APIHOST names,
// which they share; local hosts are their own, and mostly wait for the next minute.
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/{openwhisk,conformance}/**/*.test.ts'],
  maxWorkers: process.env.WHISKLENS_APIHOST ? 1 : 3,
  testTimeout: 900_000,
}
