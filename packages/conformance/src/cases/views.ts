// Buffers that `view` returned: detach ends them, and onDetach tells of it.
import { withBytes } from '../bytes.js'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'

/** Enough for a backend that works a thousand times. */
const ROUNDS = 1100

/** Whether the buffer still shows bytes. A shared buffer can't be detached. */
function shows(buffer: ArrayBuffer): boolean {
  return buffer.byteLength > 0 && Object.prototype.toString.call(buffer) !== '[object SharedArrayBuffer]'
}

function detaches(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit } = stage
    if (os.detach === undefined) return absent('detach')
    const v = ready(stage, 2, 7)
    for (let round = 0; round < ROUNDS; round++) {
      const buffer = os.view(v, unit)
      os.detach(buffer)
      claim(!shows(buffer), `a buffer still has ${buffer.byteLength} bytes after detach, in round ${round}`)
    }
    withBytes(os, v, 2 * unit, (bytes) => same(bytes[unit], 7, 'a byte after all buffers were detached'))
    return undefined
  })
}

/** Detaches in every way that the backend has: by growth too. */
function detachAll({ memory, os, unit }: Stage, v: number): void {
  os.detach?.(os.view(v, unit))
  memory.sysReserve(null, 64 * unit)
}

function tells(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit } = stage
    if (os.onDetach === undefined) return absent('onDetach')
    const v = ready(stage, 2, 7)
    const told = [0, 0]
    const first = (): void => {
      told[0] = (told[0] ?? 0) + 1
      withBytes(os, v, unit, (bytes) => same(bytes[0], 7, 'a byte that a listener sees'))
    }
    const second = (): void => void (told[1] = (told[1] ?? 0) + 1)
    const endFirst = os.onDetach(first)
    const endSecond = os.onDetach(second)
    const endAgain = os.onDetach(second)
    let before = 0
    for (let round = 0; round < 3; round++) {
      const buffer = os.view(v, unit)
      detachAll(stage, v)
      if (shows(buffer)) return notRun('nothing here detaches a buffer')
      claim((told[0] ?? 0) > before, `onDetach told nothing in round ${round}, although a buffer was detached`)
      same(told[1], 2 * (told[0] ?? 0), 'how often a listener was called that was added twice')
      before = told[0] ?? 0
    }
    endAgain()
    endFirst()
    detachAll(stage, v)
    same(told[0], before, 'how often a listener was called that was removed')
    claim((told[1] ?? 0) > 2 * before, 'a listener that was removed took another with it')
    const last = told[1]
    endSecond()
    detachAll(stage, v)
    same(told[1], last, 'how often a listener was called that was removed')
    return undefined
  })
}

/** A view is the memory and no copy: a later view of it sees what was written. */
function sharesBytes(world: World): void {
  world.play((stage) => {
    const { os, unit, pageSize } = stage
    const v = ready(stage, 4, 1)
    for (let round = 0; round < ROUNDS; round++) {
      const byte = 1 + (round % 250)
      withBytes(os, v + unit, pageSize, (bytes) => bytes.fill(byte, 0, 8))
      withBytes(os, v + unit, pageSize, (bytes) => same(bytes[7], byte, `a byte in a later view, round ${round}`))
    }
  })
}

export const viewCases: readonly Definition[] = [
  {
    id: 'views/bytes',
    title: 'view: shows the memory and no copy, each time',
    show: sharesBytes,
  },
  {
    id: 'views/detach',
    title: 'detach: ends a buffer each time, and leaves the bytes',
    show: detaches,
  },
  {
    id: 'views/on-detach',
    title: 'onDetach: tells each listener each time, when the bytes can be seen again, until it is removed',
    show: tells,
  },
]
