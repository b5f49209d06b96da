import { Agent } from 'node:http'
import type { Duplex } from 'node:stream'

/** The descriptor of the container's end, after the standard streams and Node's own IPC channel. */
export const channelDescriptor = 4

/** Sends HTTP requests over one existing stream, one after the other. */
export class ChannelAgent extends Agent {
  constructor(private readonly stream: Duplex) {
    super({ keepAlive: true, maxSockets: 1 })
  }

  override createConnection(): Duplex {
    return this.stream
  }
}
