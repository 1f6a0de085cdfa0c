// Who is connected. Other programs of this machine can connect as often as they like and say nothing, and the
// session's owner still has to get in: whoever has not shown the session yet gives way, the oldest first.
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** The most connections without the session, and the most in all. */
const [MOST_STRANGERS, MOST] = [32, 64]

/** Keeps the connections of a server few. */
export class Connections {
  // In the order in which they came.
  readonly #strangers = new Set<Socket>()

  constructor(server: Server) {
    server.maxConnections = MOST
    server.on('connection', (socket) => {
      this.#strangers.add(socket)
      socket.once('close', () => this.#strangers.delete(socket))
      const [oldest] = this.#strangers
      if (this.#strangers.size > MOST_STRANGERS) oldest?.destroy()
    })
  }

  /** This one has shown the session. */
  admit(socket: Socket): void {
    this.#strangers.delete(socket)
  }
}
