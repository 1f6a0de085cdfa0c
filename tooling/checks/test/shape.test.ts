// The shape of files: what style asks for and oxlint has no rule for.
import { checkShape, checkShapes } from '@memlayer/checks/shape'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

const opening = '// What this file is.\n'

describe('source files', () => {
  it('open with a comment, hold one idea each, and no function of two', () => {
    expectNone(checkShapes(readWorkspace()))
  })

  const long = `function long(): void {\n${'  step()\n'.repeat(60)}}\n`
  const longGroup = `describe.skipIf(isHere())('a group', () => {\n${'  step()\n'.repeat(60)}})\n`
  it.each([
    ['no opening comment', 'src/mem.ts', 'export {}\n'.repeat(5), 'no opening comment'],
    ['export *', 'src/index.ts', `${opening}export * from './mem.js'\n`, ':2: '],
    ['a name for anything', 'src/utils.ts', opening, "'utils'"],
    ['a name for anything, tested', 'test/helpers.test.ts', opening, "'helpers'"],
    ['a long function', 'src/mem.ts', opening + long, 'a function of 62 lines'],
    ['a long function in a test', 'test/mem.test.ts', opening + long, 'a function of 62 lines'],
    ['a long test', 'test/mem.test.ts', opening + longGroup.replace('describe.skipIf(isHere())', 'it'), '62 lines'],
    ['what does not parse', 'src/mem.ts', `${opening}const = 1\n`, 'does not read it'],
  ])('with %s are found', (_, file, text, words) => {
    expect(checkShape(file, text)).toEqual([expect.stringContaining(words)])
  })

  it('may be closures, and may group any number of tests', () => {
    const closure = `function port(): Port {\n${'  const call = (): void => {\n    step()\n  }\n'.repeat(40)}  return { call }\n}\n`
    expect(checkShape('src/port.ts', opening + closure)).toEqual([])
    expect(checkShape('test/mem.test.ts', opening + longGroup)).toEqual([])
    expect(checkShape('src/cli.ts', `#!/usr/bin/env node\n${opening}`)).toEqual([])
  })
})
