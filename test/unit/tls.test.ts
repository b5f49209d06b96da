import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { clientOf, connect } from '../../src/openwhisk/client'
import { openStore } from '../../src/storage/store'
import { settingsFromParams } from '../../src/config'
import { makeAuthority, startTlsFront, testAuthority } from '../helpers/tls'
let server: Server
let target: string
beforeAll((done) => { server = createServer((q, r) => r.writeHead(404, {'content-length':0}).end()).listen(0,'127.0.0.1',()=>{target=`http://127.0.0.1:${(server.address() as AddressInfo).port}`;done()}) })
afterAll((done) => { server.close(done); server.closeAllConnections() })
it('x', async () => {
  const front = await startTlsFront(target)
  const a = await testAuthority()
  const bad = [front, await startTlsFront(target, {pair: await a.issue({expired:true})}), await startTlsFront(target, {pair: await a.issue({address: '127.0.0.9'})})]
  for (const [i, f] of bad.entries()) for (const ca of i ? [a.ca] : [undefined, a.ca]) {
    const store = openStore(settingsFromParams({s3Endpoint: f.url, s3AccessKeyId:'a', s3SecretAccessKey:'b', ca})).bucket('x')
    console.log(i, !!ca, await store.head('k').catch(e => [e.code, e.message, e.hint, e.retryable]), f.attempts())
    console.log(await connect({apiHost: f.url, auth:'a:b', ca}).invoke('x', {}).catch(e => [e.code, e.status, e.message, e.hint, e.retryable]), f.attempts())
  }
  for (const f of bad) await f.close()
})
