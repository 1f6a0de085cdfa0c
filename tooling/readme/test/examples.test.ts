// Tests which blocks are examples, and which error a wrong example gets.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { examplesOf, ExampleError, runExample } from '@memlayer/readme'
import { afterAll, describe, expect, it } from 'vitest'

// The folder is inside the workspace, because an example finds the packages from its README's folder.
const folder = mkdtempSync(join(import.meta.dirname, 'tmp-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fence = '```'
let files = 0

function readme(...lines: string[]): string {
  const file = join(folder, `${files++}.md`)
  writeFileSync(file, lines.join('\n'))
  return file
}

/** Runs the only example of a README. Returns its error message, or null. */
function verdict(...lines: string[]): string | null {
  const [example, ...others] = examplesOf(readme(...lines))
  if (example === undefined || others.length > 0)
    throw new Error('the README of this test must have exactly one example')
  try {
    runExample(example)
    return null
  } catch (error) {
    if (!(error instanceof ExampleError)) throw error
    return error.message
  }
}

describe('examplesOf', () => {
  it('finds the blocks that are marked to run, with their lines, platforms and adjacent output', () => {
    const file = readme(
      '# Title',
      `${fence}ts run linux darwin`,
      'one()',
      'two()',
      fence,
      '',
      `${fence}text`,
      'printed',
      fence,
      `${fence}ts`,
      'shown only',
      fence,
      `${fence}js run`,
      'three()',
      fence,
      'words between',
      `${fence}text`,
      'not its output',
      fence,
    )
    expect(examplesOf(file)).toEqual([
      { file, line: 3, language: 'ts', code: 'one()\ntwo()', platforms: ['linux', 'darwin'], output: 'printed' },
      { file, line: 14, language: 'js', code: 'three()', platforms: [] },
    ])
  })

  it('ignores a fence inside a longer fence', () => {
    expect(examplesOf(readme('````md', `${fence}ts run`, 'no()', fence, '````'))).toEqual([])
  })

  it.each([
    ['a language that node does not run', [`${fence}sh run`, 'ls', fence], ":1: can't run a block of sh"],
    ['an unknown platform', [`${fence}ts run linx`, 'a()', fence], ":1: no platform has the name 'linx'"],
    ['a block without an end', ['', `${fence}ts run`, 'a()'], ':2: the block has no closing fence'],
  ])('refuses %s', (_, lines, words) => {
    expect(() => examplesOf(readme(...lines))).toThrow(words)
  })
})

describe('runExample', () => {
  it.each([
    ['JavaScript', '[1, { a: 2 }]', '[ 1, { a: 2 } ]'],
    ['another notation of the same number', '4096', '0x1000'],
    ['a value as node prints it', 'new Map([[1, 2]])', 'Map(1) { 1 => 2 }'],
    ['a printed line', "console.log('a', 1)", 'a 1'],
    ['an awaited value', 'await Promise.resolve(null)', 'null'],
    ['a declaration with a type', 'const x: number = 3', '3'],
  ])('passes a true claim: %s', (_, statement, text) => {
    expect(verdict(`${fence}ts run`, `${statement} //=> ${text}`, fence)).toBe(null)
  })

  it.each([
    ['a value', '2 + 2', '5', 'is 4, but //=> says 5'],
    ['a type', "'4'", '4', "is '4', but //=> says 4"],
    ['a printed line', 'console.log(1)', '2', 'is 1, but //=> says 2'],
    ['a variable', 'let x = [1]', '[2]', 'is [ 1 ], but //=> says [2]'],
  ])('fails a false claim at its line: %s', (_, statement, text, words) => {
    const said = verdict('# Title', '', `${fence}ts run`, 'let y = 1', `${statement} //=> ${text}`, fence)
    expect(said).toMatch(/\.md:5: exit 1\n/)
    expect(said).toContain(words)
  })

  it('finds the development dependencies of a private package, from a document in a folder of it', () => {
    const load = "import manifest from 'vitest/package.json' with { type: 'json' }"
    expect(verdict(`${fence}js run`, load, "manifest.name //=> 'vitest'", fence)).toBe(null)
  })

  it('names the README’s line that throws', () => {
    const said = verdict('', `${fence}js run`, '', 'const f = () => { throw new Error("broken") }', 'f()', fence)
    expect(said).toMatch(/\.md:4: exit 1\n/)
    expect(said).toContain('Error: broken')
    expect(said).not.toContain('example.mjs')
  })

  it('names the line with a syntax error', () => {
    expect(verdict('', '', `${fence}js run`, 'const a = 1', 'const a = ', fence)).toMatch(/\.md:5: exit 1\n/)
  })

  it('fails a claim that the example does not reach', () => {
    const said = verdict(`${fence}js run`, 'if (Math.random() > 2) {', '  1 //=> 1', '}', fence)
    expect(said).toMatch(/\.md:3: exit 1\n/)
    expect(said).toContain('the example ended before it reached this claim')
  })

  it('fails an example that is killed, and names the signal', () => {
    expect(
      verdict(`${fence}js run`, "process.kill(process.pid, 'SIGKILL')", 'await new Promise(() => {})', fence),
    ).toMatch(/\.md:2: SIGKILL/)
  })

  it.each([
    ['equal output', ['a', 'b'], null],
    ['any text for …', ['…', 'b'], null],
    ['another line', ['a', 'c'], 'line 2 of the output is "b", but the text block says "c"'],
    ['one line too many', ['a'], 'line 2 of the output is "b", but the text block says nothing'],
    ['one line too few', ['a', 'b', 'c'], 'line 3 of the output is nothing, but the text block says "c"'],
  ])('compares the output with the text block: %s', (_, said, words) => {
    const lines = [`${fence}js run`, "console.log('a')", "console.log('b')", fence, `${fence}text`, ...said, fence]
    if (words === null) expect(verdict(...lines)).toBe(null)
    else expect(verdict(...lines)).toContain(words)
  })

  it('finds every package of the workspace by its name', () => {
    expect(verdict(`${fence}ts run`, "import { alignUp } from '@memlayer/kernel'", 'alignUp(5, 4) //=> 8', fence)).toBe(
      null,
    )
  })
})
