// Limits the server's connections. Other programs on this machine can open many connections and send nothing.
// The session's owner still has to get in, so the oldest connection without the session is closed first.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Connections that have not shown the session, and connections in all. */
const [strangersMax, connectionsMax] = [32, 64]

/** Limits the connections of a server. */
export class Connections {
  // Connections that have not shown the session, the oldest first.
  readonly #strangers = new Set<Socket>()

  constructor(server: Server) {
    server.maxConnections = connectionsMax
    server.on('connection', (socket) => {
      this.#strangers.add(socket)
      socket.once('close', () => this.#strangers.delete(socket))
      const [oldest] = this.#strangers
      if (this.#strangers.size > strangersMax) oldest?.destroy()
    })
  }

  /** Records that this connection has shown the session. */
  admit(socket: Socket): void {
    this.#strangers.delete(socket)
  }
}
