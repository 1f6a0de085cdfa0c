#!/usr/bin/env node
// The commands `npx memlayer doctor` and `npx memlayer explain`. It checks the runtime before it loads the rest of
// memlayer, because an older Node could not parse that. commands.ts does the rest.
import { doctorJson } from './json.js'
import { tooOld } from './runtime.js'

interface Host {
  readonly process: {
    readonly argv: readonly string[]
    readonly versions: Readonly<Record<string, string | undefined>>
    exitCode?: number
  }
  readonly console: { log(text: string): void; error(text: string): void }
}

const { process, console } = globalThis as unknown as Host

function main(args: readonly string[]): void {
  const finding = tooOld(process.versions)
  if (finding === null) {
    import('./commands.js').then(
      ({ run }) => run(args),
      (error: unknown) => {
        process.exitCode = 2
        console.error(String(error))
      },
    )
    return
  }
  process.exitCode = 2
  if (args.includes('--json')) console.log(doctorJson([finding]))
  else console.log(`ERROR   ${finding.says} ${finding.hint}`)
}

main(process.argv.slice(2))
