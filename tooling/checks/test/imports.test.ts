// Tests the directions of imports, in the workspace and in examples that break the layers.
import { checkBrowserImports, checkImport, checkImports, cycles, type ImportingPackage } from '@memlayer/checks/imports'
import { parseSource } from '@memlayer/checks/source'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

describe('imports', () => {
  it('follow the layers, are declared, and are all used', () => {
    expectNone(checkImports(readWorkspace()))
  })

  // Invented packages. Each declares all the others, so that only the direction of an import can be wrong.
  const names = ['kernel', 'core', 'ffi', 'os-linux', 'os-js', 'os-haiku', 'simkernel', 'conformance', 'inspect']
  const all = ['memlayer', ...names.map((name) => `@memlayer/${name}`), '@memlayer/golden', 'koffi']
  const dependencies = Object.fromEntries(all.map((name) => [name, 'workspace:^']))
  const packages: ImportingPackage[] = all.slice(0, -1).map((name) => ({
    name,
    folder: `packages/${name.replace('@memlayer/', '')}`,
    isPublic: name !== '@memlayer/golden',
    manifest: { dependencies, exports: { '.': {}, './testing': {}, './suite/*.js': {} } },
  }))
  const check = (from: string, specifier: string, file = 'src/mem.ts'): string[] => {
    const pkg = packages.find(({ folder }) => folder === `packages/${from}`)
    if (pkg === undefined) throw new Error(`the test has no package ${from}: add it to names`)
    return checkImport(pkg, { file: `${pkg.folder}/${file}`, line: 7, specifier }, packages)
  }

  it.each([
    ['kernel', '@memlayer/core'],
    ['core', '@memlayer/os-linux'],
    ['core', '@memlayer/ffi'],
    ['ffi', '@memlayer/core'],
    ['os-linux', '@memlayer/os-js'],
    ['os-haiku', '@memlayer/os-linux'],
    ['os-js', '@memlayer/ffi'],
    ['os-linux', 'memlayer'],
    ['os-linux', '@memlayer/simkernel'],
    ['simkernel', '@memlayer/core'],
    ['conformance', '@memlayer/os-linux'],
    ['memlayer', '@memlayer/ffi'],
  ])('from %s to %s are forbidden', (from, to) => {
    expect(check(from, to)).toEqual([expect.stringMatching(/^packages\/.*\/src\/mem\.ts:7: the layers forbid/)])
  })

  it.each([
    ['core', '@memlayer/kernel'],
    ['ffi', '@memlayer/kernel'],
    ['os-haiku', '@memlayer/ffi'],
    ['os-js', '@memlayer/core'],
    ['memlayer', '@memlayer/os-haiku'],
    ['inspect', 'memlayer'],
    ['inspect', '@memlayer/core/testing'],
    ['inspect', '@memlayer/core/suite/views.js'],
    ['core', './errors.js'],
    ['ffi', 'node:fs'],
    ['memlayer', '#os'],
  ])('from %s to %s are allowed', (from, to) => {
    expect(check(from, to)).toEqual([])
  })

  it('of tests may use simkernel, conformance and tooling, but no other backend', () => {
    for (const to of ['@memlayer/simkernel', '@memlayer/conformance', '@memlayer/golden', 'node:fs']) {
      expect(check('os-linux', to, 'test/mem.test.ts')).toEqual([])
    }
    expect(check('os-linux', '@memlayer/os-js', 'test/mem.test.ts')).toEqual([expect.stringContaining('forbid')])
  })

  it.each([
    ['another package’s files', 'core', '../../kernel/src/port.js', 'leaves the package'],
    [
      'a path that a pattern of entries leaves out',
      'core',
      '@memlayer/kernel/suite/views.ts',
      'is not an entry of @memlayer/kernel',
    ],
    ['another package’s inside', 'core', '@memlayer/kernel/dist/port.js', 'is not an entry of @memlayer/kernel'],
    ['tests', 'core', '../test/model.js', 'is not published'],
    ['tooling', 'core', '@memlayer/golden', 'only its tests'],
    ['an undeclared package', 'core', 'left-pad', 'not among the dependencies'],
  ])('of %s are reported', (_, from, specifier, words) => {
    expect(check(from, specifier)).toEqual([expect.stringContaining(words)])
  })

  it('of Node’s, Bun’s and Deno’s own modules are reported in files that a browser loads', () => {
    const imports: readonly (readonly [file: string, specifier: string])[] = [
      ['index.ts', './mem.js'],
      ['index.ts', '@memlayer/kernel'],
      ['mem.ts', './deep/host.js'],
      ['mem.ts', './index.js'],
      ['deep/host.ts', 'node:os'],
      ['deep/host.ts', 'fs'],
      ['deep/host.ts', 'bun:ffi'],
      ['cli.ts', 'node:process'],
    ]
    const placed = imports.map(([file, specifier], index) => ({
      file: `packages/core/src/${file}`,
      line: index + 1,
      specifier,
    }))
    expect(checkBrowserImports('packages/core/src/index.ts', placed)).toEqual([
      expect.stringMatching(/^packages\/core\/src\/deep\/host\.ts:5: .*'node:os'/),
      expect.stringContaining("'fs'"),
      expect.stringContaining("'bun:ffi'"),
    ])
  })

  it('are found in every syntax', () => {
    const text = `
      import a from 'a'
      import type { B } from 'b'
      import 'c'
      export { d } from 'd'
      export * from 'e'
      export * as f from 'f'
      const g = await import('g')
      let h: import('h').H
      import i = require('i')
      const j = require('j'), k = require.resolve('k'), l = createRequire(import.meta.url)('l')
      const m = import.meta.resolve('m'), n = process.getBuiltinModule('n'), o = require(\`o\`)
      const computed = require(name)
      // import 'comment'
      const string = "import 'string'"
    `
    const { imports, errors } = parseSource('all.ts', text)
    expect(errors).toEqual([])
    expect(imports.map(({ specifier }) => specifier ?? 'computed').join(' ')).toBe(
      'a b c d e f g h i j k l m n o computed',
    )
    expect(imports.find(({ specifier }) => specifier === 'b')?.line).toBe(3)
  })

  it('in a cycle are named in order', () => {
    const uses = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c'])],
      ['c', new Set(['b'])],
    ])
    expect(cycles(uses)).toEqual(['packages import each other in a cycle: b -> c -> b.'])
  })
})
