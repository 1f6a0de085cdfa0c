// Tests the suite itself: each fault in an installed memlayer makes a case of the suite fail.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installApp, openLab, run, type Lab } from '@memlayer/matrix'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Mutant {
  readonly fault: string
  readonly file: string
  readonly from: string
  readonly to: string
  /** The expected message of the suite, or `null` if the fault crashes the process. */
  readonly fails: RegExp | null
}

const mutants: readonly Mutant[] = [
  {
    fault: 'views stay attached when their pages are unmapped',
    file: '@memlayer/kernel/dist/bundle.js',
    from: 'function detachView(buffer) {',
    to: 'function detachView(buffer) { return;',
    fails: null,
  },
  {
    fault: 'pages are not given back to the kernel',
    file: '@memlayer/os-linux/dist/bundle.js',
    from: 'let answer = this.#kernel.madvise(v, n, advice);',
    to: 'let answer = 0;',
    fails: /kernel's own account/,
  },
  {
    fault: 'every failure is ENOMEM',
    file: '@memlayer/ffi/dist/bundle/index.js',
    from: 'munmap(addr, length) === 0 ? 0 : -errno[0]',
    to: 'munmap(addr, length) === 0 ? 0 : -12',
    fails: /errno is right/,
  },
  {
    fault: 'an owner takes pages from a worker',
    file: '@memlayer/core/dist/bundle.js',
    from: 'this.#add(v, n, words, given, maker)',
    to: 'this.#add(v, 0, words, given, maker)',
    fails: /while a worker has pages/,
  },
  {
    fault: 'an owner takes pages that it holds itself',
    file: '@memlayer/core/dist/bundle.js',
    from: 'words[0] = 1;',
    to: '',
    fails: /while pages are held/,
  },
  {
    fault: 'transferred bytes are unmapped',
    file: '@memlayer/core/dist/bundle.js',
    from: 'isDetached(buffer) && !isEnding',
    to: 'false',
    fails: /can't be moved to another buffer/,
  },
]

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('the suite (needs Linux on x64)', () => {
  let lab: Lab
  let good: string
  beforeAll(async () => {
    lab = await openLab()
    good = await installApp(lab)
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  it.for(mutants)('fails where $fault', async ({ file, from, to, fails }) => {
    const app = join(lab.folder('mutant'), 'app')
    rmSync(app, { recursive: true, force: true })
    cpSync(good, app, { recursive: true })
    const path = join(app, 'node_modules', file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from))
      throw new Error(`can't insert the fault, because ${file} does not contain '${from}': change 'from' in this test`)
    writeFileSync(path, text.replace(from, to))
    const { code, signal, stdout } = await run(process.execPath, ['suite.js', '1'], { cwd: app })
    if (fails === null) expect([code, signal]).not.toEqual([0, null])
    else expect(stdout).toMatch(new RegExp(`"failed":\\[.*${fails.source}`))
  })
})
