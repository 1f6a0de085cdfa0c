// Decision records: each says why and what it costs, and is in the list.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const folder = new URL('../decisions/', import.meta.url)
const records = readdirSync(folder).filter((file) => file !== 'README.md')
const list = readFileSync(new URL('README.md', folder), 'utf8')

describe('decisions', () => {
  it.each(records)('%s says why, and what it costs, and is listed by its title', (file) => {
    const text = readFileSync(new URL(file, folder), 'utf8')
    expect(text).toMatch(/^# .+\n\n[\s\S]+\*\*Why\.\*\* [\s\S]+\*\*What it costs\.\*\* /)
    expect(list).toContain(`[${/^# (.+)/.exec(text)?.[1] ?? ''}](${file})`)
  })
})
