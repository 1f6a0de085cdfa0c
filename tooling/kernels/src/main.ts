// `npm run test:kernels`: the suite on every machine of machines.ts, or on those that are named. A line
// of counts a machine; the code is not 0 when a test failed or a machine did not come to its end.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { boot } from './boot.js'
import { installCommands } from './debian.js'
import { fetchParts, writeImage } from './image.js'
import { judge, reportOf, type Verdict } from './judge.js'
import { machines, type Machine } from './machines.js'
import { filesOf, writeSuite } from './suite.js'
import { cache } from './workspace.js'

// A machine takes a few minutes where the host's processor is its own kind, and never an hour.
const MOST_SECONDS = 1800

main(process.argv.slice(2)).then(
  (isGood) => {
    process.exitCode = isGood ? 0 : 1
  },
  (error: unknown) => {
    console.error(error)
    process.exitCode = 2
  },
)

async function main(names: readonly string[]): Promise<boolean> {
  const unknown = names.filter((name) => !machines.some((machine) => machine.name === name))
  if (unknown.length > 0) {
    throw new Error(
      `no machine is called ${unknown.join(' or ')}: there are ${machines.map(({ name }) => name).join(', ')}`,
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const chosen = machines.filter(({ name }) => names.length === 0 || names.includes(name))
  installCommands([...chosen.map(({ qemu }) => qemu), ['cpio', 'cpio'], ['dpkg-deb', 'dpkg']])
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'run-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  // A signal too ends by way of this.
  process.once('exit', remove)
  try {
    await writeSuite(join(folder, 'suite'))
    const lines: string[] = []
    let isGood = true
    for (const machine of chosen) {
      const { line, isGood: ranGood } = await runOn(machine, folder)
      lines.push(line)
      isGood &&= ranGood
    }
    console.log(`\n${lines.join('\n')}`)
    return isGood
  } finally {
    remove()
  }
}

async function runOn(machine: Machine, folder: string): Promise<Verdict> {
  const parts = fetchParts(machine)
  const image = join(folder, `${machine.name}.cpio`)
  writeImage(parts, machine, join(folder, 'suite'), image)
  console.log(`${machine.name}: Linux ${parts.version} boots (minutes, all of it emulated).`)
  const start = performance.now()
  const run = await boot(machine, parts.kernel, image, MOST_SECONDS, (file) =>
    console.log(reportOf(machine.name, file)),
  )
  rmSync(image)
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`${machine.name}: ${run.facts}, ${seconds} s`)
  const verdict = judge(machine.name, machine.pageSize, filesOf(machine), run)
  if (!verdict.isWhole) console.log(`${machine.name}: it said at the end\n${run.tail}`)
  return verdict
}
