// Tests that the committed API reports match the exports of the packages.
import { entriesOf, runReports, strayReports } from '@memlayer/checks/api-reports'
import { publicPackages, readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { scratchFolder, writeFiles } from './scratch-folder.js'

const workspace = readWorkspace()
const packages = publicPackages(workspace)

describe('the API of every published package', () => {
  it('matches its committed report and documents each export', () => {
    const entries = packages.flatMap(entriesOf)
    expect(entries.length).toBeGreaterThan(3)
    expectNone(runReports(workspace.root, entries, false))
  })

  it('has no report of a removed entry', () => {
    expectNone(
      packages.flatMap(strayReports).map((file) => `${file}: this report belongs to no entry: run \`npm run api\`.`),
    )
  })
})

describe('an API report', () => {
  const manifest = { name: '@memlayer/x', version: '1.0.0', type: 'module' }
  const entry = { folder: 'packages/x', name: 'index', declarations: 'dist/index.d.ts' }
  const documented = '/** Adds. */\nexport declare function add(a: number, b: number): number;\n'
  const folderWith = (declarations: string): string =>
    scratchFolder({ 'packages/x/package.json': JSON.stringify(manifest), 'packages/x/dist/index.d.ts': declarations })

  it('is a finding until an update writes it, and then names a changed line of the API', () => {
    const root = folderWith(documented)
    expect(runReports(root, [entry], false)).toEqual([
      expect.stringMatching(/^packages\/x\/etc\/index\.api\.md: .*npm run api/),
    ])
    expect(runReports(root, [entry], true)).toEqual([])
    expect(runReports(root, [entry], false)).toEqual([])
    writeFiles(root, { 'packages/x/dist/index.d.ts': documented.replace('b: number', 'b?: number') })
    const [finding] = runReports(root, [entry], false)
    expect(finding).toContain('- export function add(a: number, b: number): number;')
    expect(finding).toContain('+ export function add(a: number, b?: number): number;')
  })

  const wrong: Readonly<Record<string, readonly [declarations: string, id: string]>> = {
    'an export without documentation': ['export declare function add(a: number): number;\n', 'ae-undocumented'],
    'a member without documentation': [
      '/** A pair. */\nexport interface Pair {\n  readonly first: number;\n}\n',
      'ae-undocumented',
    ],
    'a used type that is not exported': [
      'interface Pair {\n}\n/** Makes. */\nexport declare function make(): Pair;\nexport {};\n',
      'ae-forgotten-export',
    ],
    'TSDoc that does not parse': ['/** Adds {@link one. */\nexport declare function add(): number;\n', 'tsdoc-'],
  }
  it(`rejects ${Object.keys(wrong).join(', ')}`, () => {
    const entries = Object.keys(wrong).map((_, index) => ({ ...entry, folder: `packages/p${index}` }))
    const files = Object.values(wrong).flatMap(([declarations], index) => [
      [`packages/p${index}/package.json`, JSON.stringify(manifest)],
      [`packages/p${index}/dist/index.d.ts`, declarations],
    ])
    const findings = runReports(scratchFolder(Object.fromEntries(files) as Record<string, string>), entries, true)
    for (const [index, [, id]] of Object.values(wrong).entries()) {
      expect(findings).toContainEqual(
        expect.stringMatching(new RegExp(`^packages/p${index}/dist/index\\.d\\.ts:\\d+: .*\\(${id}`)),
      )
    }
  })

  it('says to run the build when the declarations are missing', () => {
    const root = scratchFolder({ 'packages/x/package.json': JSON.stringify(manifest) })
    expect(runReports(root, [entry], false)).toEqual([expect.stringContaining('npm run build')])
  })

  it('exists for each entry with types, under any conditions', () => {
    const exports = {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './os': { browser: { types: './dist/os.d.ts', default: './dist/os.js' }, node: { types: './dist/auto.d.ts' } },
      './package.json': './package.json',
    }
    expect(
      entriesOf({ folder: 'packages/x', manifest: { exports } }).map(({ name, declarations }) => [name, declarations]),
    ).toEqual([
      ['index', 'dist/index.d.ts'],
      ['os', 'dist/os.d.ts'],
      ['os.auto', 'dist/auto.d.ts'],
    ])
  })
})
