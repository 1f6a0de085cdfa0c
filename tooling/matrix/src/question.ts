// What every place is asked, and the versions of the tools that ask.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '@memlayer/checks/workspace'

/**
 * A module that prints one line of JSON: the backend that serves, and who chose it. With MEMLAYER_ASK_DOCTOR it prints
 * a second one: what `npx memlayer doctor` would say in that place.
 */
export const question = `import { memory, OutOfMemoryError } from 'memlayer'
const { backend, how } = memory.choice
let refused
try { memory.sysAlloc(2 ** 46, null) } catch (error) { refused = error instanceof OutOfMemoryError }
console.log('MEMLAYER ' + JSON.stringify({ backend, how, refused }))
// Not awaited here, because a require() takes no module that waits.
export const asked = process.env.MEMLAYER_ASK_DOCTOR ? askDoctor() : null
async function askDoctor() {
  const { createRequire } = process.getBuiltinModule('node:module')
  const { pathToFileURL } = process.getBuiltinModule('node:url')
  const index = createRequire(import.meta.url).resolve('memlayer')
  const { doctor } = await import(/* @vite-ignore */ pathToFileURL(index.replace('index.js', 'doctor.js')).href)
  const said = doctor(memory).map(({ level, topic, says, hint = '' }) => level + ' ' + topic + ': ' + says + ' ' + hint)
  console.log('DOCTOR ' + JSON.stringify(said))
}
`

/** The version of a tool in the catalog of places. */
export function versionOf(name: string): string {
  const text = readFileSync(join(checkout, 'pnpm-workspace.yaml'), 'utf8')
  const version = new RegExp(`^ {4}'?${name}'?: (\\S+)$`, 'm').exec(text)?.[1]
  if (version === undefined) throw new Error(`pnpm-workspace.yaml has no version of ${name} in its catalog of places`)
  return `${name}@${version}`
}
