// Preloaded by our images before OpenWhisk's Node.js runtime, in whose folder it is started: an action that brings no code
// runs the archive that WHISKLENS_DEFAULT_ACTION names. One that brings code is left to the runtime.
const { readFileSync } = require('node:fs')
const { resolve } = require('node:path')

const Service = require(resolve('src/service.js'))
const { getService } = Service
if (typeof getService !== 'function') throw new Error('This is not the runtime that was expected')

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
