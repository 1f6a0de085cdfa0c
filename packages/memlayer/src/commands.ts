// The commands of cli.ts, on a runtime that can run them: what they print and how they end.
import { formatBytes, type Explanation } from '@memlayer/core'
import { doctor, exitCode, type Finding } from './doctor.js'
import { memory } from './memory.js'

interface Host {
  readonly process: { exitCode?: number }
  readonly console: { log(text: string): void; error(text: string): void }
}

const { process, console } = globalThis as unknown as Host

const usage = `usage: memlayer <command> [--json]

  doctor     which backend serves and why, what limits will bite, and a test on real memory
  explain    where the resident memory of a process is: this command's own; memory.explain() is for yours
  --json     either as data
  --version  which version this is
  --help     this`

const commands = ['doctor', 'explain']
const flags = ['--json', '--version', '--help']

/** Runs the command that the arguments name; what is not known is refused before anything is done. */
export function run(args: readonly string[]): void {
  const isJson = args.includes('--json')
  const words = args.filter((arg) => !flags.includes(arg))
  const unknown = words.find((word, i) => i > 0 || !commands.includes(word))
  if (unknown !== undefined) return refuse(`unknown ${unknown.startsWith('-') ? 'flag' : 'argument'} '${unknown}'`)
  if (args.length === 0 || args.includes('--help')) return console.log(usage)
  if (args.includes('--version')) return tellVersion()
  if (words.length === 0) return refuse('name a command')
  if (words[0] === 'doctor') tell(doctor(memory), isJson)
  else explain(isJson)
}

function refuse(says: string): void {
  console.error(`${says}\n\n${usage}`)
  process.exitCode = 2
}

function tellVersion(): void {
  // No literal: the compiler would take the manifest in, which is not under src.
  const file: string = '../package.json'
  const manifest = import(file, { with: { type: 'json' } }) as Promise<{ default: { version: string } }>
  void manifest.then((module) => console.log(module.default.version))
}

function tell(findings: readonly Finding[], isJson: boolean): void {
  process.exitCode = exitCode(findings)
  if (isJson) return console.log(JSON.stringify({ exitCode: exitCode(findings), findings }, null, 2))
  const marks = { ok: 'ok      ', warning: 'WARNING ', error: 'ERROR   ' }
  for (const { level, says, hint } of findings)
    console.log(`${marks[level]}${says}${hint === undefined ? '' : ` ${hint}`}`)
}

function explain(isJson: boolean): void {
  const explanation = explainInUse()
  if (explanation === null) {
    console.log('This host does not tell where its memory is: memory.explain() answers on Linux alone.')
    process.exitCode = 2
  } else if (isJson) console.log(JSON.stringify(explanation, null, 2))
  else console.log(explanationLines(explanation).join('\n'))
}

/** This command's own memory, with a region in every state: one without any has nothing to show of the layer. */
function explainInUse(): Explanation | null {
  const { pageSize } = memory.os.traits
  using region = memory.reserve(16 * 2 ** 20, { name: 'memlayer-explain' })
  region.commit(0, 8 * 2 ** 20)
  region.view(Uint8Array, 0, 4 * 2 ** 20).fill(1)
  region.unused(0, Math.max(pageSize, 2 ** 20))
  return memory.explain()
}

/** The parts as lines: the layer's by category and state below it. */
export function explanationLines(explanation: Explanation): string[] {
  const {
    jsHeap,
    arrayBuffers,
    layer,
    layerParts,
    otherMemories,
    malloc,
    mallocSlack,
    files,
    stacks,
    unexplained,
    resident,
  } = explanation
  return [
    line("JavaScript's heaps", jsHeap),
    line('ArrayBuffers', arrayBuffers),
    line('memlayer', layer),
    ...layerParts.map((part) =>
      line(`  ${part.category ?? '(no category)'}, ${part.state}`, part.resident, ` of ${formatBytes(part.size)}`),
    ),
    line('other memories', otherMemories),
    line('C library, in use', malloc),
    line('C library, held free', mallocSlack),
    line('files', files),
    line('stacks', stacks),
    line('unexplained', unexplained),
    line('resident in all', resident),
  ]
}

function line(name: string, n: number, more = ''): string {
  return `${name.padEnd(32)}${(n < 0 ? `-${formatBytes(-n)}` : formatBytes(n)).padStart(12)}${more}`
}
