const { TestEnvironment } = require('jest-environment-node')

/** Jest's globals are another realm's, and ONNX Runtime checks that its tensors are Node's own. */
module.exports = class extends TestEnvironment {
  constructor(...args) {
    super(...args)
    this.global.Float32Array = Float32Array
  }
}
