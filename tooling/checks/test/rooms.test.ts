// The arrows inside a package, and imports that break them.
import { checkFile, checkRooms } from '@memlayer/checks/rooms'
import { readWorkspace } from '@memlayer/checks/workspace'
import { expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

const rows = [['top'], ['calls'], ['ledger', 'account'], ['errors']]
const sentences = (file: string, text: string): string[] =>
  checkFile(`packages/a/src/${file}`, text, 'packages/a/src/', rows)

it('no room imports one that is not below it', () => {
  expectNone(checkRooms(readWorkspace()))
})

it('an arrow down, within a room, or out of the package is right', () => {
  const text =
    "import './b.js'\nimport '../ledger/c.js'\nimport type {} from '../errors.js'\nimport '@memlayer/kernel'\n"
  expect(sentences('calls/a.ts', text)).toEqual([])
})

it.each([
  ['up', 'ledger/a.ts', '../calls/b.js', "'ledger' may not import 'calls'"],
  ['up, of a type', 'errors.ts', './ledger/a.js', "'errors' may not import 'ledger'"],
  ['on one floor', 'ledger/a.ts', '../account/b.js', "'ledger' may not import 'account'"],
  ['to a room that is not known', 'calls/a.ts', '../attic/b.js', "'calls' may not import 'attic'"],
])('an arrow %s is named', (_, file, specifier, sentence) => {
  expect(sentences(file, `import type { A } from '${specifier}'\n`)).toEqual([expect.stringContaining(sentence)])
})

it('a room without a floor is named', () => {
  expect(sentences('attic/a.ts', '')).toEqual([expect.stringContaining("the room 'attic' has no floor")])
})
