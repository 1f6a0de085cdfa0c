// Several copies of this package in one process: two versions that a package manager could not join, a bundle beside a
// folder of packages, or one file of which a module system makes two instances. Each copy has classes of its own, so
// the objects of one are foreign to the others.
import { stackText } from './text.js'
import { warn } from './warning.js'

const registry = Symbol.for('@memlayer/core')

/** What the copies of this package know of each other. */
interface Copies {
  /** An error a copy: its stack says where the copy was loaded. */
  readonly places: Error[]
  /** How many copies have made a memory. Those that only a backend uses hand nothing to the program. */
  memories: number
  /** Whether the warning was given. */
  told: boolean
}

let isNoted = false
let hasMemory = false

/** Counts this copy. Backends and memories call it when they are made, because importing a package must do nothing. */
export function noteCopy(): void {
  if (isNoted) return
  isNoted = true
  copies().places.push(new Error('a copy of @memlayer/core is used here'))
}

/** Called at each memory. Warns once a process that there are several copies, and tells where they are. */
export function warnOfCopies(): void {
  const all = copies()
  if (!hasMemory) all.memories += 1
  hasMemory = true
  if (all.places.length < 2 || all.told) return
  const places = all.places.map(placeOf)
  const foreign = "They do not accept each other's objects: `instanceof` fails for errors, and a category is refused"
  const isOneFile = places.every((place) => fileOf(place) !== null && fileOf(place) === fileOf(places[0] ?? ''))
  // The program has the objects of one instance. Errors of a backend's become its own (errors.ts).
  if (isOneFile && all.memories < 2) return
  all.told = true
  const message = isOneFile
    ? `${places.length} instances of @memlayer/core are loaded from the same file. ${foreign}`
    : `${places.length} copies of @memlayer/core are loaded. ${foreign}`
  const advice = isOneFile
    ? 'No install can join them. The module system loads the file more than once: for import and for require() ' +
      '(tsx), anew after a reset (jest.resetModules), or inlined and as it is (server.deps.inline of vitest).'
    : 'Keep one copy. `npm ls @memlayer/core` shows which packages ask for which version. ' +
      '`npm dedupe` joins them where versions allow.'
  warn('MEMLAYER_TWO_CORES', message, `${places.map((place) => `  ${place}`).join('\n')}\n${advice}`)
}

/**
 * The path of a place, whether the module was loaded by its path or by a URL; null: there is none. A source map may
 * name this file in place of the published one.
 */
function fileOf(place: string): string | null {
  const path = /^(?:file:\/\/)?([^\s()?#]*\/[^\s()?#]+?)(?:[?#][^\s():]*)?(?::\d+){1,2}$/.exec(place)?.[1]
  return path?.replace(/\/core\/src\/copies\.ts$/, '/core/dist/bundle.js') ?? null
}

function copies(): Copies {
  return ((globalThis as { [registry]?: Copies })[registry] ??= { places: [], memories: 0, told: false })
}

/**
 * Where the first line of the stack is, which is in this file; without a stack the place is not known. Names of
 * functions are left out, because module systems rename them.
 */
function placeOf(place: Error): string {
  const line = stackText(place).split('\n')[1]?.trim() ?? ''
  const found = /\(([^()]+)\)$/.exec(line)?.[1] ?? line.replace(/^at |^.*@/, '')
  return found === '' ? 'at an unknown place' : found
}
