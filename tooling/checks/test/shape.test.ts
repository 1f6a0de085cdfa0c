// Tests the shape of files: the rules of style that oxlint has no rule for.
import { checkShape, checkShapes } from '@memlayer/checks/shape'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

const opening = '// What this file is.\n'

describe('source files', () => {
  it('open with a comment, and have no vague name and no long function', () => {
    expectNone(checkShapes(readWorkspace()))
  })

  const long = `function long(): void {\n${'  step()\n'.repeat(60)}}\n`
  const longGroup = `describe.skipIf(isHere())('a group', () => {\n${'  step()\n'.repeat(60)}})\n`
  it.each([
    ['no opening comment', 'src/mem.ts', 'export {}\n'.repeat(5), 'no opening comment'],
    ['export *', 'src/index.ts', `${opening}export * from './mem.js'\n`, ':2: '],
    ['a vague name', 'src/utils.ts', opening, "'utils'"],
    ['a vague name of a test', 'test/helpers.test.ts', opening, "'helpers'"],
    ['a long function', 'src/mem.ts', opening + long, 'a function of 62 lines'],
    ['a long function in a test', 'test/mem.test.ts', opening + long, 'a function of 62 lines'],
    ['a long test', 'test/mem.test.ts', opening + longGroup.replace('describe.skipIf(isHere())', 'it'), '62 lines'],
    ['a syntax error', 'src/mem.ts', `${opening}const = 1\n`, "can't read this file"],
  ])('are reported for %s', (_, file, text, words) => {
    expect(checkShape(file, text)).toEqual([expect.stringContaining(words)])
  })

  it('may have long closures and long groups of tests', () => {
    const calls = '  const call = (): void => {\n    step()\n  }\n'.repeat(40)
    const closure = `function port(): Port {\n${calls}  return { call }\n}\n`
    expect(checkShape('src/port.ts', opening + closure)).toEqual([])
    expect(checkShape('test/mem.test.ts', opening + longGroup)).toEqual([])
    expect(checkShape('src/cli.ts', `#!/usr/bin/env node\n${opening}`)).toEqual([])
  })
})
