// The README's examples run. Its adapter for vitest is a test of tooling/proof, and its usage is the command's.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { testExamples } from '@memlayer/readme/vitest'
import { describe, expect, it } from 'vitest'

const readme = new URL('../README.md', import.meta.url)
const text = readFileSync(readme, 'utf8')
const command = join(import.meta.dirname, '..', 'dist', 'command.js')

testExamples(readme)

describe('the README', () => {
  it('shows the test of tooling/proof as its adapter for vitest, in at most 15 lines', () => {
    const [, block = ''] = /```ts vitest\n([^]*?)```/.exec(text) ?? []
    const [, ...adapter] = readFileSync(
      new URL('../../../tooling/proof/test/adapter.test.ts', import.meta.url),
      'utf8',
    ).split('\n')
    expect(adapter.join('\n')).toBe(block)
    expect(block.split('\n').length).toBeLessThanOrEqual(15)
  })

  it('shows the help of the command', () => {
    const { stdout } = spawnSync(process.execPath, [command, '--help'], { encoding: 'utf8' })
    expect(text).toContain(`\`\`\`text\n${stdout}\`\`\``)
  })

  it('names each part of the list of cases', () => {
    const { stdout } = spawnSync(process.execPath, [command, '--list'], { encoding: 'utf8' })
    const parts = new Set(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.slice(0, line.indexOf('/'))),
    )
    expect(parts.size).toBeGreaterThan(10)
    const rows = [...text.matchAll(/^\| ([a-z, -]+) \|/gm)].flatMap(([, names = '']) => names.split(', '))
    expect([...parts].filter((part) => !rows.includes(part))).toEqual([])
  })
})
