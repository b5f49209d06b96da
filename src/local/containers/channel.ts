import { Agent } from 'node:http'
import type { Duplex } from 'node:stream'

/** File descriptor of the container's socket, after the standard streams and Node's IPC channel. */
export const channelDescriptor = 4

/** Sends HTTP requests over one existing stream, one at a time. */
export class ChannelAgent extends Agent {
  constructor(private readonly stream: Duplex) {
    super({ keepAlive: true, maxSockets: 1 })
  }

  override createConnection(): Duplex {
    return this.stream
  }
}
