// What every place is asked, and the versions of the tools that ask.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '@memlayer/checks/workspace'

/** An expression: doctor's findings, a sentence each. */
export const sentences =
  "doctor().map(({ level, topic, says, hint = '' }) => level + ' ' + topic + ': ' + says + ' ' + hint)"

/**
 * A module that prints one line of JSON: the backend that serves, and who chose it. With MEMLAYER_ASK_DOCTOR it prints
 * a second one: what `npx memlayer doctor` would say in that place.
 */
export const question: string = `import { memory, OutOfMemoryError } from 'memlayer'
import { doctor } from 'memlayer/doctor'
const { backend, how } = memory.choice
let refused
try { memory.sysAlloc(2 ** 46, null) } catch (error) { refused = error instanceof OutOfMemoryError }
console.log('MEMLAYER ' + JSON.stringify({ backend, how, refused }))
if (process.env.MEMLAYER_ASK_DOCTOR) console.log('DOCTOR ' + JSON.stringify(${sentences}))
`

/** The version of a tool in the catalog of places. */
export function versionOf(name: string): string {
  const text = readFileSync(join(checkout, 'pnpm-workspace.yaml'), 'utf8')
  const version = new RegExp(`^ {4}'?${name}'?: (\\S+)$`, 'm').exec(text)?.[1]
  if (version === undefined) throw new Error(`pnpm-workspace.yaml has no version of ${name} in its catalog of places`)
  return `${name}@${version}`
}
