#!/usr/bin/env node
// `npx memlayer doctor` and `npx memlayer explain`.
import { formatBytes, type Explanation } from '@memlayer/core'
import { doctor, exitCode, type Finding } from './doctor.js'
import { memory } from './memory.js'

interface Host {
  readonly process: { readonly argv: readonly string[]; exitCode?: number }
  readonly console: { log(text: string): void }
}

const { process, console } = globalThis as unknown as Host

const usage = `usage: memlayer <command> [--json]

  doctor    which backend serves and why, what limits will bite, and a test on real memory
  explain   where the resident memory of a process is: this command's own; memory.explain() is for yours`

function main([command, ...options]: readonly string[]): void {
  const isJson = options.includes('--json')
  if (command === 'doctor') return tell(doctor(memory), isJson)
  if (command === 'explain') return explain(memory.explain(), isJson)
  console.log(usage)
  process.exitCode = command === undefined || command === '--help' ? 0 : 2
}

function tell(findings: readonly Finding[], isJson: boolean): void {
  process.exitCode = exitCode(findings)
  if (isJson) return console.log(JSON.stringify({ exitCode: exitCode(findings), findings }, null, 2))
  const marks = { ok: 'ok      ', warning: 'WARNING ', error: 'ERROR   ' }
  for (const { level, says, hint } of findings) console.log(`${marks[level]}${says}${hint === undefined ? '' : ` ${hint}`}`)
}

function explain(explanation: Explanation | null, isJson: boolean): void {
  if (explanation === null) {
    console.log('This host does not tell where its memory is.')
    process.exitCode = 2
    return
  }
  if (isJson) return console.log(JSON.stringify(explanation, null, 2))
  const { jsHeap, arrayBuffers, layer, malloc, mallocSlack, files, stacks, unexplained, resident } = explanation
  const parts = { "JavaScript's heaps": jsHeap, ArrayBuffers: arrayBuffers, memlayer: layer, 'C library, in use': malloc, 'C library, held free': mallocSlack, files, stacks, unexplained, 'resident in all': resident }
  for (const [name, n] of Object.entries(parts)) console.log(`${name.padEnd(22)}${(n < 0 ? `-${formatBytes(-n)}` : formatBytes(n)).padStart(12)}`)
}

main(process.argv.slice(2))
