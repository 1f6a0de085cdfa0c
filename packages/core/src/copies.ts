// Several copies of this package in one process: two versions that a package manager could not join, or a bundle
// beside a folder of packages. Each copy has classes of its own, so the objects of one are foreign to the others.
import { stackText } from './text.js'
import { warn } from './warning.js'

const registry = Symbol.for('@memlayer/core')

/** What the copies of this package know of each other. */
interface Copies {
  /** An error a copy: its stack says where the copy was loaded. */
  readonly places: Error[]
  /** Whether the warning was given. */
  told: boolean
}

let isNoted = false

/** Counts this copy. Backends and memories call it when they are made, because importing a package must do nothing. */
export function noteCopy(): void {
  if (isNoted) return
  isNoted = true
  copies().places.push(new Error('a copy of @memlayer/core is used here'))
}

/** Warns once a process that there are several copies, and tells where they are. */
export function warnOfCopies(): void {
  const all = copies()
  if (all.places.length < 2 || all.told) return
  all.told = true
  const message =
    `${all.places.length} copies of @memlayer/core are loaded. They do not accept each other's objects: ` +
    '`instanceof` fails for errors, and a category is refused'
  const places = all.places.map((place) => `  ${placeOf(place)}`)
  const advice =
    'Keep one copy. `npm ls @memlayer/core` shows which packages ask for which version. ' +
    '`npm dedupe` joins them where versions allow.'
  warn('MEMLAYER_TWO_CORES', message, `${places.join('\n')}\n${advice}`)
}

function copies(): Copies {
  return ((globalThis as { [registry]?: Copies })[registry] ??= { places: [], told: false })
}

/** The first line of the stack, which is in this file; without a stack the place is not known. */
function placeOf(place: Error): string {
  const line = stackText(place).split('\n')[1]?.trim()
  return (line?.startsWith('at ') ? line.slice('at '.length) : line) ?? 'at an unknown place'
}
