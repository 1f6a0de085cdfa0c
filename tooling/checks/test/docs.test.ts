// Tests that the targets of links exist, and that tables give their reasons.
import { anchorsOf, checkDoc, checkDocs } from '@memlayer/checks/docs'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

describe('documents', () => {
  it('name only links, paths and scripts that exist', () => {
    expectNone(checkDocs(readWorkspace()))
  })

  const there = ['packages/core/README.md', 'packages/core/src', 'LICENSE']
  const check = (text: string, published: readonly string[] = []): string[] =>
    checkDoc('packages/core/README.md', text, {
      has: (path) => there.includes(path),
      anchors: (path) => (path.endsWith('.md') ? new Set(['the-limit']) : null),
      scripts: ['build'],
      published: new Set(published),
    })

  it.each([
    ['a link', 'see [this](../kernel/README.md)'],
    ['a link from the root', 'see [this](docs/a.md#part)'],
    ['a path', 'in `packages/kernel/src/port.ts`'],
    ['a script', '`npm run biuld`'],
    ['a picture', '<img alt="x" src="x.png">'],
    ['a heading of another page', '[a](README.md#limits)'],
    ['a heading of this page', '[a](#part)'],
    ['a page of the repository by its address', '[a](https://github.com/memlayer/memlayer/blob/main/packages/x.md)'],
  ])('are reported for %s that does not exist', (_, text) => {
    expect(check(text)).toEqual([expect.stringMatching(/^packages\/core\/README\.md:1: /)])
  })

  it.each([
    '[a](README.md)',
    '[a](../../LICENSE#x)',
    '[a](README.md#the-limit)',
    '[a](#a-part)\n## A part',
    '[a](https://go.dev)',
    '[a](https://github.com/memlayer/memlayer/blob/main/packages/core/README.md#the-limit)',
    '`packages/core/src`',
    '`packages/<name>/etc`',
    'npm run build',
  ])('may contain %s', (text) => {
    expect(check(text)).toEqual([])
  })

  it('are reported for a link of a published README that works only in the repository', () => {
    const published = ['packages/core/README.md']
    expect(check('[a](../../LICENSE)', published)).toEqual([
      expect.stringMatching(/write https:\/\/github\.com\/memlayer\/memlayer\/blob\/main\/LICENSE$/),
    ])
    expect(check('[a](https://github.com/memlayer/memlayer/blob/main/LICENSE)', published)).toEqual([])
    expect(check('[a](#a-part)\n## A part', published)).toEqual([])
  })

  it('have the anchors that GitHub makes of their headings', () => {
    const text = '# `a.b` and C!\n## D, [e](f.md)\n```sh\n# not one\n```\n## D, e\n### ERR_X'
    expect([...anchorsOf(text)]).toEqual(['ab-and-c', 'd-e', 'd-e-1', 'err_x'])
  })

  const table = (...rows: string[]): string =>
    ['| Go | here | why |', '| --- | --- | --- |', ...rows, '', '| after | it |'].join('\n')

  it.each(['| a | b | |', '| a | b |', '| a | `b\\|c` |  |'])('are reported for the row %s without a reason', (row) => {
    expect(check(table('| a | b | c |', row))).toEqual([
      expect.stringMatching(/^packages\/core\/README\.md:4: .*'why'/),
    ])
  })

  it.each([
    ['```ts\na()\n```', 1],
    ['````md\n```ts\na()\n```\n````', 0],
    ['```ts run linux\na()\n```', 0],
    ['<!-- not run: it needs a printer -->\n\n```js\na()\n```', 0],
    ['```sh\nls\n```', 0],
    ['```ts run\na()\n```\n\n```ts\nb()\n```', 1],
  ])('are reported for a block of code that is not run, without a reason: %j', (text, count) => {
    expect(check(text)).toHaveLength(count)
  })

  it('are reported for a backend without the sections of the others, or in another order', () => {
    const readme = (...titles: string[]): string[] =>
      checkDoc('packages/os-x/README.md', titles.map((title) => `## ${title}\n`).join('\n'), {
        has: () => true,
        anchors: () => null,
        scripts: [],
        published: new Set(),
      })
    const five = ['Options', 'Traits', 'Kernel calls', 'Departures from Go', 'How far it was run']
    expect(readme(...five, 'Views')).toEqual([])
    expect(readme(...five.toReversed())).toEqual([expect.stringContaining('Options, Traits')])
    expect(readme('Views', ...five)).toHaveLength(1)
  })

  it('may have empty cells in other columns and other tables', () => {
    expect(check(table('| | b | c |', '| a | `b\\|c` | d |', '| a | | c |'))).toEqual([])
    expect(check('| Go | here |\n| --- | --- |\n| a | |')).toEqual([])
  })
})
