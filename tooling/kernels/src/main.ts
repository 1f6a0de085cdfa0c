// `npm run test:kernels`: the suite on every machine of machines.ts, or on the machines that are named. Ends with
// a line of counts for each machine, and a line with their sum. `exitCodes` says what the exit code means.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { boot } from './boot.js'
import { DownloadError } from './command.js'
import { installCommands } from './debian.js'
import { fetchParts, writeImage, type Parts } from './image.js'
import { judge, reportOf, sum, textOf, type Verdict } from './judge.js'
import { machines, type Machine } from './machines.js'
import { filesOf, writeSuite } from './suite.js'
import { cache } from './workspace.js'

// A machine takes a few minutes, and never half an hour, although its processor is emulated.
const secondsMax = 1800

const exitCodes = {
  /** Every test passed, on every machine. */
  good: 0,
  /** A test failed, or a machine did not come to its end. */
  failed: 1,
  /** The run itself is broken: a name that is not a machine's, or a command that is missing. */
  broken: 2,
  /** No test failed, and QEMU, a kernel or packages could not be downloaded. */
  notDownloaded: 3,
} as const

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error)
    process.exitCode = exitCodes.broken
  },
)

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !machines.some((machine) => machine.name === name))
  if (unknown.length > 0) {
    const known = machines.map(({ name }) => name).join(', ')
    throw new Error(`no machine is called ${unknown.join(' or ')}: name one of ${known}`)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const chosen = machines.filter(({ name }) => names.length === 0 || names.includes(name))
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'run-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  // A signal ends the process by process.exit, which skips `finally`.
  process.once('exit', remove)
  try {
    await writeSuite(join(folder, 'suite'))
    return await runAll(chosen, folder)
  } finally {
    remove()
  }
}

async function runAll(chosen: readonly Machine[], folder: string): Promise<number> {
  const verdicts: Verdict[] = []
  let code: number = exitCodes.good
  for (const machine of chosen) {
    const parts = partsOf(machine)
    if (parts === null) code = exitCodes.notDownloaded
    verdicts.push(parts === null ? notDownloaded(machine) : await runOn(machine, parts, folder))
  }
  const total = sum(verdicts.map(({ counts }) => counts))
  console.log(`\n${verdicts.map(({ line }) => line).join('\n')}\n${textOf(total)}`)
  return total.failed > 0 ? exitCodes.failed : code
}

/** Returns the machine's kernel and packages. null: a download failed, and the reason is on the terminal. */
function partsOf(machine: Machine): Parts | null {
  try {
    installCommands([machine.qemu, ['cpio', 'cpio'], ['dpkg-deb', 'dpkg']])
    return fetchParts(machine)
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error
    console.log(`${machine.name}: ${error.message.trimEnd()}`)
    return null
  }
}

/** The machine counts as one test that was skipped. */
function notDownloaded({ name }: Machine): Verdict {
  const line = `${name}: not run, because QEMU, its kernel or its packages could not be downloaded`
  return { line, counts: { passed: 0, failed: 0, skipped: 1 }, isWhole: false }
}

async function runOn(machine: Machine, parts: Parts, folder: string): Promise<Verdict> {
  const image = join(folder, `${machine.name}.cpio`)
  writeImage(parts, machine, join(folder, 'suite'), image)
  console.log(`${machine.name}: Linux ${parts.version} boots. An emulated processor takes minutes.`)
  const start = performance.now()
  const run = await boot(machine, parts.kernel, image, secondsMax, (file) => console.log(reportOf(machine.name, file)))
  rmSync(image)
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`${machine.name}: ${run.facts}, ${seconds} s`)
  const verdict = judge(machine.name, machine.pageSize, filesOf(machine), run)
  if (!verdict.isWhole) console.log(`${machine.name}: the end of its console:\n${run.tail}`)
  return verdict
}
