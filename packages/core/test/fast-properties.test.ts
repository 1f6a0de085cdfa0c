// A memory has fast properties. V8 looks the slow ones up in a table, and every operation takes three times as long.
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

const program = (options: string): string => `
  import { createMemory } from '@memlayer/core'
  const no = () => {}
  const names = ['Alloc', 'Unused', 'Used', 'HugePage', 'Free', 'Fault', 'Reserve', 'Map']
  const os = Object.fromEntries(names.map((name) => ['sys' + name + 'OS', no]))
  Object.assign(os, { name: 'none', traits: { pageSize: 4096 }, refusal: null, view: no })
  const memory = createMemory(os, ${options})
  console.log(%HasFastProperties(memory), memory.limit)`

it.each(['{}', '{ ledger: false }'])('a memory made with %s has fast properties', (options) => {
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', program(options)]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' })
  expect({ stdout, stderr }).toEqual({ stdout: 'true null\n', stderr: '' })
})
