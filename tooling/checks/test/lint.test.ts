// Runs oxlint over the workspace, and over code that breaks the most important rules.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkLint } from '@memlayer/checks/lint'
import { checkout } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { scratchFolder } from './scratch-folder.js'

// Each file breaks one rule.
const wrong: Readonly<Record<string, string>> = {
  'no-explicit-any': 'export const a: any = 1\n',
  'no-non-null-assertion': 'export const a = (b?: number): number => b!\n',
  'no-default-export': 'export default 1\n',
  'no-namespace': 'export namespace A { export const b = 1 }\n',
  'no-const-enum': 'export const enum A { B }\n',
  'no-unused-vars': 'const a = 1\nexport {}\n',
  'ban-ts-comment': '// @ts-ignore\nexport const a = 1\n',
  'no-top-level-await': 'export const a = await Promise.resolve(1)\n',
  'no-console': 'console.log(1)\n',
  'no-empty-function': 'export function a(): void {}\n',
  'no-floating-promises': 'async function a(): Promise<void> { await Promise.resolve() }\na()\n',
  'no-unsafe-member-access': 'export const a = (b: string): unknown => JSON.parse(b).c\n',
  'switch-exhaustiveness-check':
    "export function a(b: 'c' | 'd'): void {\n  switch (b) {\n    case 'c':\n      break\n  }\n}\n",
  'max-lines': 'export {}\n'.repeat(401),
  'no-unused-expressions': 'export const a = 1\na === 1\n',
}

describe('style', () => {
  it('passes oxlint in every file', () => {
    expectNone(checkLint(checkout))
  })

  it('fails in each example by the rule of that example', () => {
    const files = Object.fromEntries(
      Object.entries(wrong).map(([rule, text]) => [`packages/core/src/${rule}.ts`, text]),
    )
    const root = scratchFolder({
      ...files,
      '.oxlintrc.json': readFileSync(join(checkout, '.oxlintrc.json'), 'utf8'),
      'tsconfig.json':
        '{ "compilerOptions": { "strict": true, "module": "nodenext", "target": "es2024" }, "include": ["packages"] }',
      'packages/core/src/WrongCase.ts': 'export {}\n',
      'packages/core/src/circle-a.ts': "import { b } from './circle-b.js'\nexport const a = (): number => b()\n",
      'packages/core/src/circle-b.ts': "import { a } from './circle-a.js'\nexport const b = (): number => a()\n",
      'packages/core/test/shot.test.ts':
        "import { expect, it } from 'vitest'\nit.only('a', () => {\n  expect(1).toMatchSnapshot()\n})\n",
    })
    // The path is not '.', because oxlint would walk through all of node_modules without a .gitignore.
    const findings = checkLint(root, 'packages')
    for (const rule of Object.keys(wrong)) {
      expect(findings).toContainEqual(expect.stringMatching(new RegExp(`/${rule}\\.ts:.*\\(.*\\(${rule}\\)\\)$`)))
    }
    const others = {
      'WrongCase.ts': 'filename-case',
      'circle-a.ts': 'no-cycle',
      'shot.test.ts': 'no-restricted-matchers',
    }
    for (const [file, rule] of Object.entries(others)) {
      expect(findings.filter((finding) => finding.includes(file) && finding.includes(`(${rule})`))).not.toEqual([])
    }
    expect(findings).toContainEqual(expect.stringContaining('no-focused-tests'))
  })
})
