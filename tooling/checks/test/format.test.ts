// Prettier over the workspace, and over a file that it would write otherwise.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkFormat } from '@memlayer/checks/format'
import { checkout } from '@memlayer/checks/workspace'
import { expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { scratchFolder } from './scratch-folder.js'

it('every file is as Prettier writes it', () => {
  expectNone(checkFormat(checkout))
}, 120_000)

it('a file that Prettier would write otherwise is named', () => {
  const root = scratchFolder({
    '.prettierrc.json': readFileSync(join(checkout, '.prettierrc.json'), 'utf8'),
    'right.ts': "export const a = 'b'\n",
    'wrong.ts': 'export const a = "b";\n',
  })
  expect(checkFormat(root)).toEqual(['wrong.ts: not as Prettier writes it: run npm run format.'])
})
