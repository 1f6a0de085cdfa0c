// errors.md against the code: each code that is thrown has its entry, each entry is of a code that is thrown, and
// the examples meet each.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { examplesOf } from '@memlayer/readme'
import { describe, expect, it } from 'vitest'

const packages = join(import.meta.dirname, '..', '..')
const document = new URL('../errors.md', import.meta.url)
// They are set, not thrown.
const variables = [
  'MEMLAYER_INSPECT_PORT',
  'MEMLAYER_INSPECT_SIGNAL',
  'MEMLAYER_INSPECT_WARNINGS',
  'MEMLAYER_LIMIT',
  'MEMLAYER_NO_BATCH',
  'MEMLAYER_OS',
  'MEMLAYER_STRICT',
]

function codesInSource(): string[] {
  const found = new Set<string>()
  for (const folder of readdirSync(packages)) {
    const source = join(packages, folder, 'src')
    if (!existsSync(source)) continue
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /\.c?ts$/.test(file))
    for (const file of files) {
      const text = readFileSync(join(source, file), 'utf8')
      for (const [, code = ''] of text.matchAll(/'((?:ERR_)?MEMLAYER_[A-Z_]+)'/g)) found.add(code)
    }
  }
  return [...found].filter((code) => !variables.includes(code)).toSorted()
}

const codes = codesInSource()
const text = readFileSync(document, 'utf8')
const entries = [...text.matchAll(/^### (\w+)\n\n(.*)/gm)].map(([, code = '', says = '']) => ({ code, says }))

describe('errors.md', () => {
  it('has an entry for each code, once, and for nothing else', () => {
    expect(codes.length).toBeGreaterThan(15)
    expect(entries.map(({ code }) => code).toSorted()).toEqual(codes)
  })

  it.each(codes)('says of %s when it is met and what to do', (code) => {
    expect(entries.find((entry) => entry.code === code)?.says.length).toBeGreaterThan(80)
  })

  it.each(codes.filter((code) => code.startsWith('ERR_')))('meets %s in an example', (code) => {
    expect(examplesOf(document).some((example) => example.code.includes(`//=> '${code}'`))).toBe(true)
  })
})
