// The place where a region was reserved is the user's own line: in this workspace, with an installed memlayer, and in
// a folder with the name of one of our packages.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { takeSnapshot } from '@memlayer/inspect'
import { GrowableBuffer, memory } from 'memlayer'
import { expect, it } from 'vitest'

const MiB = 2 ** 20

it('is this file for a region of this file, also through one of our structures', () => {
  using region = memory.reserve(MiB, { name: 'here' })
  using buffer = new GrowableBuffer(memory, { maximum: MiB, name: 'grows' })
  expect([region.size, buffer.length]).toEqual([MiB, 0])
  const made = takeSnapshot(memory).regions.map((one) => one.made)
  expect(made).toHaveLength(2)
  for (const place of made) expect(place).toMatch(/place\.test\.ts:\d+:\d+/)
})

it('is the application with an installed memlayer, also in its own packages/core', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'memlayer-place-')))
  const files = {
    'package.json': '{ "name": "application", "type": "module" }',
    'node_modules/memlayer/package.json': '{ "name": "memlayer", "type": "module" }',
    'node_modules/memlayer/dist/memory.js': 'export const reserve = (memory) => memory.reserve(2 ** 20)\n',
    'packages/core/main.js': `
      import { reserve } from '../../node_modules/memlayer/dist/memory.js'
      import { memory } from '${import.meta.resolve('memlayer')}'
      import { takeSnapshot } from '${import.meta.resolve('@memlayer/inspect')}'
      const load = () => reserve(memory)
      const region = load()
      console.log(takeSnapshot(memory).regions[0].made)
      region.free()`,
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  const { stdout, stderr } = spawnSync(process.execPath, ['packages/core/main.js'], { cwd: root, encoding: 'utf8' })
  rmSync(root, { recursive: true })
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^load \(file:.*\/packages\/core\/main\.js:5:\d+\)\n$/)
})
