// The README's example runs, and its usage text is the command's.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { testExamples } from '@memlayer/readme/vitest'
import { expect, it } from 'vitest'

const readme = new URL('../README.md', import.meta.url)

testExamples(readme)

it('shows the help of the command', () => {
  const { stdout } = spawnSync(process.execPath, [join(import.meta.dirname, '..', 'dist', 'command.js'), '--help'], {
    encoding: 'utf8',
  })
  expect(readFileSync(readme, 'utf8')).toContain(`\`\`\`text\n${stdout}\`\`\``)
})
