// Tests that the targets of links exist, and that tables give their reasons.
import { checkDoc, checkDocs } from '@memlayer/checks/docs'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

describe('documents', () => {
  it('name only links, paths and scripts that exist', () => {
    expectNone(checkDocs(readWorkspace()))
  })

  const there = ['packages/core/README.md', 'packages/core/src', 'LICENSE']
  const check = (text: string): string[] =>
    checkDoc('packages/core/README.md', text, { has: (path) => there.includes(path), scripts: ['build'] })

  it.each([
    ['a link', 'see [this](../kernel/README.md)'],
    ['a link from the root', 'see [this](docs/a.md#part)'],
    ['a path', 'in `packages/kernel/src/port.ts`'],
    ['a script', '`npm run biuld`'],
  ])('are reported for %s that does not exist', (_, text) => {
    expect(check(text)).toEqual([expect.stringMatching(/^packages\/core\/README\.md:1: /)])
  })

  it.each([
    '[a](README.md)',
    '[a](../../LICENSE#x)',
    '[a](#part)',
    '[a](https://go.dev)',
    '`packages/core/src`',
    '`packages/<name>/etc`',
    'npm run build',
  ])('may contain %s', (text) => {
    expect(check(text)).toEqual([])
  })

  const table = (...rows: string[]): string =>
    ['| Go | here | why |', '| --- | --- | --- |', ...rows, '', '| after | it |'].join('\n')

  it.each(['| a | b | |', '| a | b |', '| a | `b\\|c` |  |'])('are reported for the row %s without a reason', (row) => {
    expect(check(table('| a | b | c |', row))).toEqual([
      expect.stringMatching(/^packages\/core\/README\.md:4: .*'why'/),
    ])
  })

  it('may have empty cells in other columns and other tables', () => {
    expect(check(table('| | b | c |', '| a | `b\\|c` | d |', '| a | | c |'))).toEqual([])
    expect(check('| Go | here |\n| --- | --- |\n| a | |')).toEqual([])
  })
})
