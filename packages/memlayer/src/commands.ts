// The commands of cli.ts: what they print, and their exit codes. cli.ts has found the runtime recent enough.
import { formatBytes, type Explanation } from '@memlayer/core'
import { doctor } from './doctor.js'
import { exitCode, type Finding } from './finding.js'
import { doctorJson, explainJson } from './json.js'
import { memory } from './memory.js'

interface Host {
  readonly process: { exitCode?: number }
  readonly console: { log(text: string): void; error(text: string): void }
}

const { process, console } = globalThis as unknown as Host

const usage = `usage: memlayer <command> [--json]

  doctor     says which backend serves and why, which limits are close, and tests real memory
  explain    says where this command's own resident memory is; memory.explain() does so in your program
  --json     prints the result as data
  --version  prints the version
  --help     prints this text`

const commands = ['doctor', 'explain']
const flags = ['--json', '--version', '--help']

/** Runs the command that the arguments name. It refuses an unknown argument before it does anything. */
export function run(args: readonly string[]): void {
  const isJson = args.includes('--json')
  const words = args.filter((arg) => !flags.includes(arg))
  const unknown = words.find((word, i) => i > 0 || !commands.includes(word))
  if (unknown !== undefined) return refuse(`unknown ${unknown.startsWith('-') ? 'flag' : 'argument'} '${unknown}'`)
  if (args.length === 0 || args.includes('--help')) return console.log(usage)
  if (args.includes('--version')) return tellVersion()
  if (words.length === 0) return refuse('no command is given')
  if (words[0] === 'doctor') tell(doctor(), isJson)
  else explain(isJson)
}

function refuse(says: string): void {
  console.error(`${says}\n\n${usage}`)
  process.exitCode = 2
}

function tellVersion(): void {
  // With a literal the compiler would include the manifest, which is not under src.
  const file: string = '../package.json'
  const manifest = import(file, { with: { type: 'json' } }) as Promise<{ default: { version: string } }>
  void manifest.then((module) => console.log(module.default.version))
}

function tell(findings: readonly Finding[], isJson: boolean): void {
  process.exitCode = exitCode(findings)
  if (isJson) return console.log(doctorJson(findings))
  const marks = { ok: 'ok      ', warning: 'WARNING ', error: 'ERROR   ' }
  for (const { level, says, hint } of findings)
    console.log(`${marks[level]}${says}${hint === undefined ? '' : ` ${hint}`}`)
}

function explain(isJson: boolean): void {
  const explanation = explainInUse()
  if (explanation === null) {
    const says = 'This host does not report where its memory is. Run this command on Linux, where /proc is mounted.'
    // A reader of JSON finds either JSON or nothing.
    if (isJson) console.error(says)
    else console.log(says)
    process.exitCode = 2
  } else if (isJson) console.log(explainJson(explanation))
  else console.log(explanationLines(explanation).join('\n'))
}

/** Explains this command's own process while it has a region in every state. Without one the layer would be empty. */
function explainInUse(): Explanation | null {
  const { pageSize } = memory.os.traits
  using region = memory.reserve(16 * 2 ** 20, { name: 'memlayer-explain' })
  region.commit(0, 8 * 2 ** 20)
  region.view(Uint8Array, 0, 4 * 2 ** 20).fill(1)
  region.unused(0, Math.max(pageSize, 2 ** 20))
  return memory.explain()
}

/** The parts as lines. Below the layer are its parts by category and state. */
export function explanationLines(explanation: Explanation): string[] {
  const {
    jsHeap,
    arrayBuffers,
    layer,
    layerParts,
    retired,
    otherMemories,
    otherThreads,
    threadParts,
    malloc,
    mallocSlack,
    files,
    stacks,
    unexplained,
    resident,
    allocator,
  } = explanation
  return [
    line("JavaScript's heaps", jsHeap),
    line('ArrayBuffers', arrayBuffers),
    line('memlayer', layer),
    ...layerParts.map((part) =>
      line(`  ${part.category ?? '(no category)'}, ${part.state}`, part.resident, ` of ${formatBytes(part.size)}`),
    ),
    line('freed, and written late', retired),
    line('other memories', otherMemories),
    line('other threads', otherThreads),
    ...threadParts.map(({ thread, resident: bytes, size }) =>
      line(`  thread ${Number.isNaN(thread) ? 'of no known number' : thread}`, bytes, ` of ${formatBytes(size)}`),
    ),
    line(`${allocatorName(allocator)}, in use`, malloc),
    line(`${allocatorName(allocator)}, held free`, mallocSlack),
    line('files', files),
    line('stacks', stacks),
    line('unexplained', unexplained),
    line('resident in all', resident),
  ]
}

function allocatorName(allocator: Explanation['allocator']): string {
  return allocator === 'unknown' ? 'the allocator' : allocator
}

function line(name: string, n: number, more = ''): string {
  if (Number.isNaN(n)) return `${name.padEnd(32)}${'not known'.padStart(12)}`
  return `${name.padEnd(32)}${(n < 0 ? `-${formatBytes(-n)}` : formatBytes(n)).padStart(12)}${more}`
}
