// Preloaded in our images: tfjs-node calls functions of node:util that Node.js 23 removed.
const util = require('node:util')

util.isArray ??= Array.isArray
util.isNullOrUndefined ??= (value) => value === null || value === undefined
