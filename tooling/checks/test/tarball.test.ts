// Tests the tarball of each published package, which is what users get.
import { checkContents, checkWithAttw, checkWithPublint, pack, packAll } from '@memlayer/checks/tarball'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { scratchFolder } from './scratch-folder.js'

describe.each(packAll(readWorkspace()))('$manifest.name, packed', (tarball) => {
  it('contains only files and ranges that work outside of the workspace', () => {
    expectNone(checkContents(tarball))
  })

  it('matches its manifest, by publint', async () => {
    expectNone(await checkWithPublint(tarball))
  })

  it('has types that agree with its code, by attw', async () => {
    expectNone(await checkWithAttw(tarball))
  })
})

describe('a wrong tarball', () => {
  const manifest = {
    name: 'x',
    version: '1.0.0',
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist', 'test'],
    dependencies: { y: 'file:../y' },
  }

  it('is reported for its contents, a missing entry, and types that disagree with the code', async () => {
    const root = scratchFolder({
      'package.json': JSON.stringify(manifest),
      'dist/index.d.ts': 'export { x } from "./other"\n',
      'dist/index.cjs': 'module.exports = 1\n',
      'test/x.test.ts': '',
    })
    const tarball = pack(root)
    expect(checkContents(tarball)).toEqual([
      expect.stringContaining('LICENSE'),
      expect.stringContaining('test/x.test.ts'),
      expect.stringContaining("'y: file:../y'"),
    ])
    expect(await checkWithPublint(tarball)).toContainEqual(expect.stringContaining('exports'))
    expect(await checkWithAttw(tarball)).toContainEqual(expect.stringContaining('./other'))
  })
})
