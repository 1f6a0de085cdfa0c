// Runs the suite on Node, Bun and Deno, and prints one line of JSON. Its argument is the seed. It runs the cases with
// workers if worker.js is beside it. A bundle is one file without worker.js.
import { existsSync } from 'node:fs'
import { memory } from 'memlayer'
import { engineName } from '@memlayer/ffi'
import { historyCase } from './history.js'
import { lifeCases } from './life.js'
import { nativeCases } from './native.js'
import { runCases } from './run.js'
import { viewCases } from './views.js'
import { workerCases } from './workers.js'

const cases = [...lifeCases, ...viewCases, historyCase(Number(process.argv[2] ?? 1))]
const isNative = memory.os.name !== 'js'
const worker = process.argv[1] === undefined ? null : new URL('worker.js', `file://${process.argv[1]}`)
if (isNative) cases.push(...nativeCases)
if (isNative && worker !== null && existsSync(worker)) cases.push(...workerCases(worker))

void runCases(cases, runtime(), isNative ? engineName() : null).then((outcome) => {
  console.log(JSON.stringify(outcome))
  process.exitCode = outcome.failed.length === 0 ? 0 : 1
})

/** Recognizes a runtime by its own global object, because Bun and Deno also report a version of Node. */
function runtime(): string {
  const { Bun: bun, Deno: deno } = globalThis as { Bun?: { version: string }; Deno?: { version: { deno: string } } }
  if (bun !== undefined) return `Bun ${bun.version}`
  return deno === undefined ? `Node ${process.versions.node}` : `Deno ${deno.version.deno}`
}
