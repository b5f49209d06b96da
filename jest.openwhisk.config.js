// Suites about OpenWhisk and Whisklens on it, against the local API host or the server that WHISKLENS_APIHOST names.
module.exports = {
  ...require('./jest.config'),
  testMatch: ['<rootDir>/test/{openwhisk,conformance}/**/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 900_000,
}
