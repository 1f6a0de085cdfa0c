// Tests that each package has its own version: a change in one backend gives only that backend a new version.
import { checkChangesetConfig, checkFirstChangesets, scratchClone } from '@memlayer/checks/versions'
import { publicPackages, readText, readWorkspace } from '@memlayer/checks/workspace'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'
import { loopbackRegistry } from './loopback-registry.js'

const workspace = readWorkspace()
const packages = publicPackages(workspace)
const changesets = workspace.files
  .filter((file) => /^\.changeset\/.*\.md$/.test(file))
  .map((file) => readText(workspace.root, file))

describe('versions', () => {
  it('are independent by configuration', () => {
    expectNone(
      checkChangesetConfig(JSON.parse(readText(workspace.root, '.changeset/config.json')) as Record<string, unknown>),
    )
    const wrong = { fixed: [['a', 'b']], linked: [], ignore: [], access: 'restricted', format: 'auto' }
    expect(checkChangesetConfig(wrong)).toHaveLength(3)
  })

  it('start with a changeset for every published package', () => {
    expectNone(checkFirstChangesets(workspace, changesets))
  })

  let clone: ReturnType<typeof scratchClone>
  beforeAll(() => {
    clone = scratchClone(workspace)
  })
  afterAll(() => clone.remove())

  it('are all set by the first release', () => {
    for (const { name } of packages) expect(clone.versions().get(name)).not.toBe('0.0.0')
  })

  it('are published by the release’s own command, each package after its dependencies', async () => {
    const { url, published } = await loopbackRegistry()
    const { tags } = await clone.publish(url)
    const order = published.map(({ name }) => name)
    expect(order.toSorted(byName)).toEqual(packages.map(({ name }) => name).toSorted(byName))
    for (const { name, access, versions } of published) {
      const [[version, { dependencies = {} }] = ['', {}]] = Object.entries(versions)
      expect([name, version, access]).toEqual([name, clone.versions().get(name), 'public'])
      expect(tags).toContain(`${name}@${version}`)
      for (const [dependency, range] of Object.entries(dependencies)) {
        if (!order.includes(dependency)) continue
        expect(range).toBe(`^${clone.versions().get(dependency)}`)
        expect(order.indexOf(dependency)).toBeLessThan(order.indexOf(name))
      }
    }
  })

  it.each(packages.filter(({ folder }) => folder.startsWith('packages/os-')))(
    'change for $name alone when only that package changes',
    ({ name, folder }) => {
      const before = clone.versions()
      appendFileSync(join(clone.root, folder, 'src', 'index.ts'), '// A change.\n')
      clone.addChangeset({ [name]: 'patch' }, 'A change in one backend.')
      clone.version()
      expect(clone.changed().toSorted()).toEqual([
        '.changeset/scratch.md',
        `${folder}/CHANGELOG.md`,
        `${folder}/package.json`,
      ])
      const moved = [...clone.versions()].filter(([other, version]) => before.get(other) !== version)
      expect(moved).toEqual([[name, expect.stringMatching(/^0\.\d+\.[1-9]\d*$/)]])
      clone.commit('Released')
    },
  )
})

function byName(a: string, b: string): number {
  return a < b ? -1 : 1
}
