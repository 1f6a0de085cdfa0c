// One run of a machine. QEMU is a child of this process: it ends with this process, or after its time. What the
// machine writes to its serial port becomes results.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { readTestLine, type TestLine } from './guest/test-line.js'
import type { Machine } from './machines.js'

/** A file of tests that has ended. */
export interface FileResult {
  readonly name: string
  readonly tests: readonly TestLine[]
  /** The exit code of its Node. 0: all tests ended, passed or not. */
  readonly code: number
}

/** What the machine said. */
export interface MachineRun {
  /** Its kernel, its Node and its page size, in its own words. */
  readonly facts: string
  readonly files: readonly FileResult[]
  /** Whether the machine ran all files and switched itself off. */
  readonly isWhole: boolean
  /** The end of its console, for a person to read. */
  readonly tail: string
}

/** Boots the machine. Calls `tell` for each file as it ends. */
export async function boot(
  machine: Machine,
  kernel: string,
  image: string,
  seconds: number,
  tell: (file: FileResult) => void,
): Promise<MachineRun> {
  const qemu = spawn(machine.qemu[0], argumentsOf(machine, kernel, image), { stdio: ['ignore', 'pipe', 'pipe'] })
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

function argumentsOf({ hardware, memoryMiB, console }: Machine, kernel: string, image: string): string[] {
  return [
    ...hardware,
    ...['-m', String(memoryMiB), '-smp', '2'],
    ...['-kernel', kernel, '-initrd', image],
    // panic=-1: a kernel that panics switches the machine off.
    // Debian's kernels measure how long threads wait for memory (PSI) only when asked to.
    ...['-append', `console=${console} rdinit=/init quiet panic=-1 psi=1`],
    ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-nic', 'none', '-no-reboot'],
  ]
}

/** Reads the lines that the init writes. */
class Console {
  facts = ''
  readonly files: FileResult[] = []
  isDone = false
  readonly #tell: (file: FileResult) => void
  #tests: TestLine[] = []

  constructor(tell: (file: FileResult) => void) {
    this.#tell = tell
  }

  /** Takes one line of the console. False: the init did not write it. */
  read(line: string): boolean {
    const [, kind, rest = ''] = /^@(node|test|end|done) ?(.*)$/.exec(line) ?? []
    if (kind === 'node') this.facts = rest
    else if (kind === 'test') this.#tests.push(readTestLine(rest))
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
