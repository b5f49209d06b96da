import { once } from 'node:events'
import { createServer } from 'node:http'
import { Agent } from 'node:https'
import type { AddressInfo } from 'node:net'
import { settingsFromParams } from '../../src/config'
import { connectionsTo } from '../../src/storage/connections'
import { openStore } from '../../src/storage/store'

/** Opens a store like an activation. */
const open = (port: number) =>
  openStore(
    settingsFromParams({
      s3Endpoint: `http://127.0.0.1:${port}`,
      s3AccessKeyId: 'access',
      s3SecretAccessKey: 'secret',
    }),
  ).bucket('images')

describe('the connections to a store', () => {
  it('are reused, by later activations, too', async () => {
    let connections = 0
    let requests = 0
    const server = createServer((_, response) => {
      requests++
      response.writeHead(404, { 'content-length': 0 }).end()
    }).on('connection', () => connections++)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const bucket of [open(port), open(port)]) {
      await bucket.head('a')
      await bucket.find('a')
    }
    server.close()
    expect([requests, connections]).toEqual([4, 1])
  })

  it('are encrypted unless the endpoint is http', () => {
    expect(connectionsTo('https://s3.example.com', {})).toBeInstanceOf(Agent)
    expect(connectionsTo('s3.example.com', {})).toBeInstanceOf(Agent)
    expect(connectionsTo('http://127.0.0.1:9000', {})).not.toBeInstanceOf(Agent)
  })
})
