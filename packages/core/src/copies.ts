// Several copies of this package in one process: two versions that a package manager could not join, or a bundle
// beside a folder of packages. Each has classes of its own, so that what one made is nothing to the other.
import { copies } from './errors.js'
import { warn } from './warning.js'

/** Says once a process that there are several copies, and where they are. */
export function warnOfCopies(): void {
  if (copies.places.length < 2 || copies.told) return
  copies.told = true
  const message =
    `${copies.places.length} copies of @memlayer/core are loaded, and what one of them made is foreign to the others: ` +
    `an error is no instance of the other's class, a category is no category`
  const places = copies.places.map((place) => `  ${placeOf(place)}`)
  const detail = `${places.join('\n')}\nHave one: \`npm ls @memlayer/core\` says who asks for which, \`npm dedupe\` joins them where versions allow.`
  warn('MEMLAYER_TWO_CORES', message, detail)
}

/** The first line of the stack; without one, no more is known. */
function placeOf({ stack }: Error): string {
  return /\n\s*(?:at )?(.*)/.exec(stack ?? '')?.[1] ?? 'at a place unknown'
}
