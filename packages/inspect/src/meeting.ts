// Where `memlayer-inspect attach` meets a process that allows it: a socket of the process, in a folder that its user
// alone can enter. Another user can neither ask for an address nor put a socket of their own there. A process that has
// ended answers nothing, so no other process is ever taken for it.
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** Milliseconds after which a process that has not answered is given up. */
const answerMilliseconds = 5000

/** The folder of this user. Null: this system has no users by number, as Windows. */
function folder(): string | null {
  const user = process.getuid?.()
  return user === undefined ? null : join(tmpdir(), `memlayer-inspect-${user}`)
}

/** The folder, if it is this user's and closed to all others. */
function closedFolder(): string | null {
  const path = folder()
  if (path === null) return null
  const stat = lstatSync(path, { throwIfNoEntry: false })
  const isOwn = stat?.isDirectory() === true && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0
  return isOwn ? path : null
}

const socketOf = (path: string, pid: number): string => join(path, `${pid}.sock`)

/**
 * Answers each `attach` with what `address` gives. Returns what ends it; null where that is not possible: on Windows,
 * and where another user has taken the folder's name.
 */
export async function meet(address: () => Promise<string>): Promise<(() => void) | null> {
  const wanted = folder()
  if (wanted === null) return null
  mkdirSync(wanted, { mode: 0o700, recursive: true })
  const path = closedFolder()
  if (path === null) return null
  const socket = socketOf(path, process.pid)
  // Of a process that had this number before.
  rmSync(socket, { force: true })
  const server: Server = createServer((asking) => {
    asking.on('error', () => asking.destroy())
    void address().then(
      (url) => asking.end(url),
      () => asking.destroy(),
    )
  })
  server.unref()
  server.listen(socket)
  await once(server, 'listening')
  chmodSync(socket, 0o600)
  const end = (): void => {
    process.off('exit', end)
    server.close()
    rmSync(socket, { force: true })
  }
  process.once('exit', end)
  return end
}

/** Asks the process `pid` for an address. Null: it does not allow that, or has ended. */
export async function addressOf(pid: number): Promise<string | null> {
  const path = closedFolder()
  if (path === null) return null
  const asking = connect(socketOf(path, pid))
  const timer = setTimeout(() => asking.destroy(), answerMilliseconds)
  try {
    await once(asking, 'connect')
    const url = await text(asking)
    return url === '' ? null : url
  } catch {
    return null
  } finally {
    clearTimeout(timer)
    asking.destroy()
  }
}
