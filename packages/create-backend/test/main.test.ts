// The command: its questions, its output and its exit codes.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { main } from '../dist/main.js'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'memlayer-create-'))
})
afterEach(() => {
  rmSync(cwd, { recursive: true })
  vi.restoreAllMocks()
})

interface End {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly questions: readonly string[]
}

/** Runs the command. `answers` are given in order. Null: no user is at the terminal. */
async function run(args: readonly string[], answers: readonly string[] | null = null): Promise<End> {
  const said = { out: '', err: '' }
  vi.spyOn(console, 'log').mockImplementation((text: string) => void (said.out += `${text}\n`))
  vi.spyOn(console, 'error').mockImplementation((text: string) => void (said.err += `${text}\n`))
  const questions: string[] = []
  const left = [...(answers ?? [])]
  const ask = async (question: string): Promise<string> => {
    questions.push(question)
    return Promise.resolve(left.shift() ?? '')
  }
  return { code: await main(args, { cwd, ask: answers === null ? null : ask }), ...said, questions }
}

describe('npm create @memlayer/backend', () => {
  it('writes the package, lists its files, and prints the next steps', async () => {
    const { code, out, err } = await run(['@acme/os-foo', '--kind', 'break'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^os-foo: \d+ files\n/)
    expect(out).toContain('  src/mem.ts\n')
    expect(out).toContain('Next:\n  cd os-foo\n  npm install\n  npm test')
    expect(existsSync(join(cwd, 'os-foo', 'src', 'host.ts'))).toBe(true)
  })

  it('asks for missing arguments until the answer can be used', async () => {
    const { code, questions } = await run([], ['Not A Name', 'os-foo', '9', 'custom'])
    expect(code).toBe(0)
    expect(questions.map((question) => question.slice(0, 8))).toEqual(['The name', 'The name', 'What doe', 'What doe'])
    expect(existsSync(join(cwd, 'os-foo', 'src', 'kernel.ts'))).toBe(true)
  })

  it('takes the first choice on Enter', async () => {
    expect((await run([], ['', ''])).code).toBe(0)
    expect(existsSync(join(cwd, 'my-os', 'src', 'mem.ts'))).toBe(true)
  })

  it.each<[string, string[], RegExp]>([
    ['no name without a terminal', [], /^no name given: give the name of the package\n/],
    ['no kind without a terminal', ['my-os'], /^no kind given: add --kind posix-like\|reserve-commit\|break\|custom\n/],
    ['two names', ['a', 'b', '--kind', 'custom'], /^2 names given: a, b\. Give one name\n/],
    ['an unknown kind', ['my-os', '--kind', 'vms'], /^unknown kind 'vms': use one of posix-like,/],
    ['a name that can’t be used', ['My Os', '--kind', 'custom'], /^'My Os' can't be the package's name/],
    ['an unknown option', ['my-os', '--fast'], /'--fast'/],
  ])('exits with 2 for %s, and writes nothing', async (_, args, words) => {
    const { code, err, out } = await run(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(words)
    expect(err).toContain('usage: npm create @memlayer/backend')
    expect(existsSync(join(cwd, 'my-os'))).toBe(false)
  })

  it('exits with 1 when it may not write', async () => {
    // Put a file in the place of the parent folder, because root may write to every folder.
    writeFileSync(join(cwd, 'file'), '')
    const { code, err } = await (async () => {
      cwd = join(cwd, 'file')
      const end = await run(['my-os', '--kind', 'custom'])
      cwd = join(cwd, '..')
      return end
    })()
    expect(code).toBe(1)
    expect(err).toMatch(/^could not write the package: ENOTDIR/)
  })
})
