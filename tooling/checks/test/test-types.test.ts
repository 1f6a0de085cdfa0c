// Tests that the tests of every package type-check, because vitest would also run them with wrong types.
import { join } from 'node:path'
import { checkTestTypes } from '@memlayer/checks/test-types'
import { checkout } from '@memlayer/checks/workspace'
import { expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { scratchFolder } from './scratch-folder.js'

it('the tests of every package and tool type-check', () => {
  expectNone(checkTestTypes(checkout))
})

it('reports a test with a wrong type', () => {
  const root = scratchFolder({
    'tsconfig.json': JSON.stringify({ extends: join(checkout, 'tsconfig.json'), include: ['*.ts'] }),
    'package.json': '{ "type": "module" }',
    'a.test.ts': 'export const a: string = 1\nexport enum B { c }\nexport const d = a.e\n',
  })
  expect(checkTestTypes(root)).toEqual([
    expect.stringContaining('a.test.ts(1,14): error TS2322'),
    expect.stringContaining('a.test.ts(2,13): error TS1294'),
    expect.stringContaining('a.test.ts(3,20): error TS2339'),
  ])
})
