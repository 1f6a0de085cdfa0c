// Tries the faults of several backends, each in a process of its own, as many at a time as this host has cores.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Figures } from './summary.js'

const program = join(import.meta.dirname, '..', 'main.js')

/** Tries the faults of each backend, prints each summary, and returns the figures. `args` go on to each process. */
export async function triedInChildren(backends: readonly string[], args: readonly string[]): Promise<Figures[]> {
  const waiting = [...backends]
  const figures: Figures[] = []
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) figures.push(await tried(next, args))
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return figures
}

/** One process: it prints the summary to its standard output and sends the figures as a message. */
function tried(backend: string, args: readonly string[]): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const child = fork(program, ['faults', '--backend', backend, ...args], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    let text = ''
    let figures: Figures | null = null
    child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part))
    child.on('message', (sent) => (figures = sent as Figures))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.stdout.write(text)
      if (figures === null) reject(new Error(`the faults of '${backend}' ended with ${signal ?? `code ${code}`}`))
      else resolve(figures)
    })
  })
}
