// Runs Prettier over the workspace, and over a file that Prettier would change.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkColumns, checkFormat } from '@memlayer/checks/format'
import { checkout, readWorkspace } from '@memlayer/checks/workspace'
import { expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { scratchFolder } from './scratch-folder.js'

it('Prettier would change no file', () => {
  expectNone(checkFormat(checkout))
}, 120_000)

it('names a file that Prettier would change', () => {
  const root = scratchFolder({
    '.prettierrc.json': readFileSync(join(checkout, '.prettierrc.json'), 'utf8'),
    'right.ts': "export const a = 'b'\n",
    'wrong.ts': 'export const a = "b";\n',
  })
  expect(checkFormat(root)).toEqual(['wrong.ts: Prettier would change this file: run npm run format.'])
})

it('no line of code has over 120 columns', () => {
  expectNone(checkColumns(readWorkspace()))
})

it('a line of over 120 columns is named', () => {
  const root = scratchFolder({
    'long.ts': `// ${'x'.repeat(117)}\n// ${'x'.repeat(118)}\n`,
    'long.md': 'x'.repeat(200),
  })
  const workspace = { root, files: ['long.ts', 'long.md'], packages: [] }
  expect(checkColumns(workspace)).toEqual(['long.ts:2: the line has 121 columns: break it (120 at most).'])
})
