// `memlayer-inspect attach <pid>`: the page or the terminal's view of another process, which allows it.
import { momentOf, type Moment, type Snapshot } from './snapshot.js'
import { addressOf } from './meeting.js'
import { drawTerminal } from './terminal.js'
import { Screen } from './terminal-screen.js'
import { unpack, type Wire } from './wire.js'

/** Snapshots from one explanation to the next. An explanation takes a hundred times as long as a snapshot. */
const explainEvery = 30
/** Moments in the sparkline, at most. */
const momentsMax = 400

const notAllowed = (pid: number): string =>
  `Process ${pid} does not allow it, has ended, or is another user's. Start it with ` +
  '`node --import @memlayer/inspect/auto`.'

/** Prints the address of a page for the process. False: it does not allow that. */
export async function printAddress(pid: number): Promise<boolean> {
  const url = await addressOf(pid)
  if (url === null) console.error(notAllowed(pid))
  else console.log(`Open ${url}\nThe address works in one browser.`)
  return url !== null
}

/** Draws the process in this terminal until `signal` aborts, or it ends. False: it does not allow that. */
export async function drawProcess(pid: number, signal: AbortSignal): Promise<boolean> {
  const url = await addressOf(pid)
  if (url === null) {
    console.error(notAllowed(pid))
    return false
  }
  const opened = await fetch(url, { redirect: 'manual', signal })
  const folder = new URL(opened.headers.get('location') ?? '/', url)
  const screen = new Screen(process.stdout)
  const history: Moment[] = []
  try {
    for (let i = 0; ; i++) {
      const wire = await ask(new URL(`snapshot?seen=0${i % explainEvery === 0 ? '&explain' : ''}`, folder), signal)
      if (wire === null) return true
      const snapshot: Snapshot = { ...wire, ranges: Array.from(unpack(wire.packed, wire.pageSize)) }
      history.push(momentOf(snapshot))
      if (history.length > momentsMax) history.shift()
      screen.show(drawTerminal(snapshot, screen.columns, screen.hasColour, history, screen.rows))
      await pause(screen.every, signal)
    }
  } finally {
    screen.close()
  }
}

/** A snapshot; null: the process has ended, or the user has ended the view. */
async function ask(url: URL, signal: AbortSignal): Promise<Wire | null> {
  try {
    const response = await fetch(url, { signal })
    return response.ok ? ((await response.json()) as Wire) : null
  } catch {
    return null
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
