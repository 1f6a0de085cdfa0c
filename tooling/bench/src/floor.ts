// The floor is the C program in floor/. The benchmark builds it where gcc is installed, and keeps it running.
// A line asks the program for a batch, and a line answers.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Contender } from './measure.js'

const source: string = join(import.meta.dirname, '..', 'floor', 'floor.c')

/** The path of the built program, or the reason why the build failed. */
export type FloorProgram =
  { readonly path: string; readonly compiler: string } | { readonly path: null; readonly reason: string }

/** Builds the program into `folder`. */
export function buildFloor(folder: string): FloorProgram {
  const path = join(folder, 'floor')
  const { status, error, stderr } = spawnSync('gcc', ['-O2', '-o', path, source], { encoding: 'utf8' })
  if (error !== undefined) return { path: null, reason: 'no C compiler here (gcc)' }
  if (status !== 0) return { path: null, reason: `gcc ended with ${status}: ${stderr.split('\n')[0]}` }
  const [compiler = 'gcc'] = spawnSync('gcc', ['--version'], { encoding: 'utf8' }).stdout.split('\n')
  return { path, compiler }
}

/** The running program. */
export class Floor {
  readonly #process: ChildProcess
  readonly #answers: AsyncIterator<string>

  constructor(path: string) {
    this.#process = spawn(path, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.#process.stdout === null)
      throw new Error(`the C program ${path} was started without a pipe for its output`)
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** Returns a contender that runs the program's work `name`. */
  contender(name: string): Contender {
    return {
      batch: async (times: number): Promise<number> => {
        this.#process.stdin?.write(`${name} ${times}\n`)
        const answer = await this.#answers.next()
        const ns = answer.done === true ? NaN : Number(answer.value)
        if (!(ns >= 0)) throw new Error(`the C program answered '${name}' without a time: add that work to floor.c`)
        return ns
      },
    }
  }

  /** Closes the program's input, which ends it. */
  [Symbol.dispose](): void {
    this.#process.stdin?.end()
  }
}
