// One run of a machine: QEMU as a child that is ended after its time and with this process, and what the
// machine says on its serial port, read into results.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { InnerTest } from '@memlayer/wine'
import type { Machine } from './machines.js'

/** What a file's tests came to. */
export interface FileResult {
  readonly name: string
  readonly tests: readonly InnerTest[]
  /** Of its Node. */
  readonly code: number
}

/** What the machine said. */
export interface MachineRun {
  /** Its kernel, its Node, its page size, in its own words. */
  readonly facts: string
  readonly files: readonly FileResult[]
  /** Whether all files were run and the machine switched itself off. */
  readonly isWhole: boolean
  /** The end of what it said, for a person. */
  readonly tail: string
}

/** Boots the machine; `tell` hears of each file as it ends. */
export async function boot(
  machine: Machine,
  kernel: string,
  image: string,
  seconds: number,
  tell: (file: FileResult) => void,
): Promise<MachineRun> {
  // Panics switch the machine off.
  const words = `console=${machine.console} rdinit=/init quiet panic=-1`
  const args = [
    ...machine.hardware,
    '-m',
    String(machine.memoryMiB),
    '-smp',
    '2',
    '-kernel',
    kernel,
    '-initrd',
    image,
    '-append',
    words,
    '-display',
    'none',
    '-monitor',
    'none',
    '-serial',
    'stdio',
    '-nic',
    'none',
    '-no-reboot',
  ]
  const qemu = spawn(machine.qemu[0], args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const end = (): void => void qemu.kill('SIGKILL')
  const timer = setTimeout(end, seconds * 1000)
  process.once('exit', end)
  const ended = new Promise<number | null>((resolve, reject) => {
    qemu.once('close', resolve)
    qemu.once('error', reject)
  })
  const said: string[] = []
  qemu.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text.trimEnd()))
  const console = new Console(tell)
  const listen = async (): Promise<void> => {
    for await (const line of createInterface({ input: qemu.stdout, crlfDelay: Infinity })) {
      if (!console.read(line)) said.push(line)
    }
  }
  try {
    const [code] = await Promise.all([ended, listen()])
    const { facts, files, isDone } = console
    return { facts, files, isWhole: isDone && code === 0, tail: said.slice(-60).join('\n') }
  } finally {
    end()
    clearTimeout(timer)
    process.removeListener('exit', end)
  }
}

/** The lines that the init writes. */
class Console {
  facts = ''
  readonly files: FileResult[] = []
  isDone = false
  readonly #tell: (file: FileResult) => void
  #tests: InnerTest[] = []

  constructor(tell: (file: FileResult) => void) {
    this.#tell = tell
  }

  /** Whether the line was one of them. */
  read(line: string): boolean {
    const [, kind, rest = ''] = /^@(node|test|end|done) ?(.*)$/.exec(line) ?? []
    if (kind === 'node') this.facts = rest
    else if (kind === 'test') this.#tests.push(testOf(rest))
    else if (kind === 'done') this.isDone = true
    else if (kind === 'end') this.#end(rest)
    else return false
    return true
  }

  #end(rest: string): void {
    const [name = '', code = ''] = rest.split(' ')
    const file = { name, tests: this.#tests, code: Number(code) }
    this.#tests = []
    this.files.push(file)
    this.#tell(file)
  }
}

/** A line that something else was written into counts as a test that failed: none may be lost. */
function testOf(line: string): InnerTest {
  try {
    return JSON.parse(line) as InnerTest
  } catch {
    return { name: 'a line that cannot be read', failed: line, skipped: null, milliseconds: 0 }
  }
}
