// Runs a job over several backends, each in a process of its own, as many at a time as this host has cores. In one
// process the later ones would be slow, because each leaves mappings and memory behind.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

const program = join(import.meta.dirname, 'main.js')

/**
 * Runs a job of main.ts over each backend and prints what it prints. Returns what each process sent, in the order of
 * the backends. `args` go on to each process.
 */
export async function inChildren<T>(job: string, backends: readonly string[], args: readonly string[]): Promise<T[]> {
  const waiting = [...backends.entries()]
  const answers: T[] = []
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      answers[next[0]] = await inChild<T>(job, next[1], args)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return answers
}

function inChild<T>(job: string, backend: string, args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(program, [job, '--backend', backend, ...args], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    let text = ''
    let answer: { readonly sent: T } | null = null
    child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part))
    child.on('message', (sent) => (answer = { sent: sent as T }))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.stdout.write(text)
      if (answer === null) reject(new Error(`${job} of '${backend}' ended with ${signal ?? `code ${code}`}`))
      else resolve(answer.sent)
    })
  })
}
