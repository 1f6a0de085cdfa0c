// Whether users' compilers accept the declarations: with only the language's types, with a browser's, a worker's or
// Node's.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

function compile(file: string, lib: string, types: readonly string[]): { status: number | null; said: string } {
  const flags = [
    '--strict',
    '--noEmit',
    '--target',
    'es2024',
    '--module',
    'nodenext',
    '--lib',
    lib,
    '--exactOptionalPropertyTypes',
  ]
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [tsc, '--ignoreConfig', ...flags, '--types', types.join(','), `declarations/${file}`],
    { cwd: import.meta.dirname, encoding: 'utf8' },
  )
  return { status, said: stdout + stderr }
}

describe('the declarations of os-js', () => {
  it.each([
    ['plain.ts', 'only the language', 'es2024,esnext.disposable', []],
    ['plain.ts', 'a browser', 'es2024,esnext.disposable,dom', []],
    ['web-assembly.ts', 'a browser', 'es2024,esnext.disposable,dom', []],
    ['web-assembly.ts', 'a worker', 'es2024,esnext.disposable,webworker', []],
    ['plain.ts', 'Node', 'es2024,esnext.disposable', ['node']],
    ['web-assembly.ts', 'Node with a browser’s types', 'es2024,esnext.disposable,dom', ['node']],
  ] as const)('compile in %s with the types of %s, with the library check', (file, _, lib, types) => {
    expect(compile(file, lib, types)).toEqual({ status: 0, said: '' })
  })
})
