const { join } = require('node:path')

/** Jest transform that turns a page into a test file. */
module.exports = {
  process: () => ({
    code: `require(${JSON.stringify(join(__dirname, 'page-tests'))}).testPage(__filename)`,
  }),
}
