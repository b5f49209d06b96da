import { Agent } from 'node:http'
import type { Duplex } from 'node:stream'

/** The descriptor of the container's end: standard streams come before it, and the channel that ends with the host. */
export const channelDescriptor = 4

/** Speaks HTTP over a stream that is there already, request after request. */
export class ChannelAgent extends Agent {
  constructor(private readonly stream: Duplex) {
    super({ keepAlive: true, maxSockets: 1 })
  }

  override createConnection(): Duplex {
    return this.stream
  }
}
