// Which files are written, with which names, and which folders are left alone. tooling/matrix shows from the packed
// packages that the result conforms.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBackend, kinds, NameError, type Kind } from '@memlayer/create-backend'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { namesOf } from '../dist/names.js'

const all = Object.keys(kinds) as Kind[]

let into: string
beforeEach(() => {
  into = mkdtempSync(join(tmpdir(), 'memlayer-create-'))
})
afterEach(() => rmSync(into, { recursive: true }))

describe('namesOf', () => {
  it.each([
    ['my-os', 'my-os', 'MyOs', 'my-os'],
    ['os-9front', 'os-9front', 'Os9front', 'os-9front'],
    ['@acme/os-foo-bar', 'foo-bar', 'FooBar', 'os-foo-bar'],
    ['memlayer-os-haiku', 'haiku', 'Haiku', 'memlayer-os-haiku'],
    ['haiku', 'haiku', 'Haiku', 'haiku'],
  ])('%s is the system %s, the class %s, the folder %s', (given, system, className, folder) => {
    expect(namesOf(given)).toEqual({ package: given, system, className, folder })
  })

  it.each(['', 'My-Os', '-os', 'os-', 'a--b', '9front', '../up', 'a/b', '@acme/', 'a b', 'a'.repeat(215)])(
    '%j is refused, and the message says which names can be used',
    (given) => {
      expect(() => namesOf(given)).toThrow(NameError)
      expect(() => namesOf(given)).toThrow(/use small letters, digits and single hyphens/)
    },
  )
})

describe('createBackend', () => {
  it.each(all)('%s: leaves no name of the template in any file', (kind) => {
    const { folder, files } = createBackend({ name: '@acme/os-foo', kind, into })
    expect(files).toEqual(
      expect.arrayContaining([
        '.changeset/first.md',
        '.gitignore',
        'README.md',
        'etc/index.api.md',
        'package.json',
        'src/mem.ts',
        'test/golden.ts',
        'test/row.ts',
        'test/subject.js',
      ]),
    )
    for (const file of files) expect(readFileSync(join(folder, file), 'utf8'), file).not.toMatch(/my-os|MyOs/)
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
      name: '@acme/os-foo',
      dependencies: { '@memlayer/core': expect.any(String) as string },
      devDependencies: { '@memlayer/conformance': expect.any(String) as string, vitest: expect.any(String) as string },
    })
    expect(readFileSync(join(folder, 'src/mem.ts'), 'utf8')).toMatch(
      /^class Foo implements OS \{\n {2}readonly name = 'foo'$/m,
    )
  })

  it.each(all)('%s: has the eight functions in the order of mem.go, each with its contract', (kind) => {
    const { folder } = createBackend({ name: 'my-os', kind, into })
    const text = readFileSync(join(folder, 'src/mem.ts'), 'utf8')
    const order = [...text.matchAll(/^ {2}\/\*\* .+ \*\/\n {2}(sys\w+OS)\(/gm)].map(([, name]) => name)
    expect(order).toEqual(
      ['Alloc', 'Unused', 'Used', 'HugePage', 'Free', 'Fault', 'Reserve', 'Map'].map((word) => `sys${word}OS`),
    )
  })

  it('refuses a folder that is not empty, and uses an empty one', () => {
    mkdirSync(join(into, 'my-os'))
    writeFileSync(join(into, 'my-os', 'diary.txt'), 'dear')
    expect(() => createBackend({ name: 'my-os', kind: 'custom', into })).toThrow(/exists and is not empty/)
    expect(readdirSync(join(into, 'my-os'))).toEqual(['diary.txt'])
    mkdirSync(join(into, 'os-b'))
    expect(createBackend({ name: 'os-b', kind: 'custom', into }).files.length).toBeGreaterThan(10)
  })
})
