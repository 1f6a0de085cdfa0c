// What users get: each published package, packed.
import { join } from 'node:path'
import { checkContents, checkWithAttw, checkWithPublint, pack } from '@memlayer/checks/tarball'
import { publicPackages, readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { scratchFolder } from './scratch-folder.js'

const workspace = readWorkspace()

describe.each(publicPackages(workspace))('$name, packed', ({ folder }) => {
  const tarball = pack(join(workspace.root, folder))

  it('holds what is of use, and nothing that means something only here', () => {
    expectNone(checkContents(tarball))
  })

  it('is what its manifest says, by publint', async () => {
    expectNone(await checkWithPublint(tarball))
  })

  it('has types that agree with its code, by attw', async () => {
    expectNone(await checkWithAttw(tarball))
  })
})

describe('a tarball that is wrong', () => {
  const manifest = {
    name: 'x',
    version: '1.0.0',
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    files: ['dist', 'test'],
    dependencies: { y: 'file:../y' },
  }

  it('is found out: contents, an entry that is not there, types that disagree', async () => {
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
