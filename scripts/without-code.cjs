// Preloaded in our images before OpenWhisk's Node.js runtime, which is started in its own folder: actions without code run the archive
// in WHISKLENS_DEFAULT_ACTION. Actions with code are left to the runtime.
const { readFileSync } = require('node:fs')
const { resolve } = require('node:path')

const Service = require(resolve('src/service.js'))
const { getService } = Service
if (typeof getService !== 'function') throw new Error('Unexpected OpenWhisk runtime')

const ownAction = () => ({
  main: 'main',
  binary: true,
  code: readFileSync(process.env.WHISKLENS_DEFAULT_ACTION, 'base64'),
})

Service.getService = (config) => {
  const service = getService(config)
  const { initCode } = service
  service.initCode = (request) => {
    const { value } = request.body ?? {}
    if (!value?.code) request.body = { value: { ...value, ...ownAction() } }
    return initCode(request)
  }
  return service
}
