// What the commands print with --json: it has a format and a version, a schema in the package has its fields, and each
// finding has a code that stays.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { topics } from '../src/finding.js'

const folder = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

function printed(command: string, env: Record<string, string> = {}): { readonly [key: string]: unknown } {
  const { stdout } = spawnSync(process.execPath, [join(folder, 'dist', 'cli.js'), command, '--json'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  return JSON.parse(stdout) as { readonly [key: string]: unknown }
}

function wrongIn(name: string, value: unknown): unknown[] {
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(JSON.parse(read(`schema/${name}.json`)) as object)
  validate(value)
  return validate.errors ?? []
}

describe('doctor --json', () => {
  it('is as its schema says, on a host that serves and on one that does not', () => {
    for (const env of [{}, { MEMLAYER_OS: 'beos' }]) {
      const told = printed('doctor', env)
      expect(told).toMatchObject({ format: 'memlayer-doctor', version: 1 })
      expect(wrongIn('doctor', told)).toEqual([])
    }
    expect(wrongIn('doctor', { ...printed('doctor'), findings: [{}] })).not.toEqual([])
  })

  it('has codes that are in the schema and on the page of doctor, and no two names for one thing', () => {
    const codes = Object.keys(topics)
    const schema = JSON.parse(read('schema/doctor.json')) as {
      properties: { findings: { items: { properties: { code: { examples: string[] } } } } }
    }
    expect(schema.properties.findings.items.properties.code.examples).toEqual(codes)
    const page = read('../docs/doctor.md')
    expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([])
    const { findings } = printed('doctor') as { findings: { code: keyof typeof topics; topic: string }[] }
    for (const { code, topic } of findings) expect(topic).toBe(topics[code])
    expect(findings.map(({ code }) => code)).toContain('backend')
  })
})

describe.skipIf(process.platform !== 'linux')('explain --json', () => {
  it('is as its schema says', () => {
    const told = printed('explain')
    expect(told).toMatchObject({ format: 'memlayer-explain', version: 1, layer: 3 * 2 ** 20 })
    expect(wrongIn('explain', told)).toEqual([])
    expect(wrongIn('explain', { ...told, resident: null })).toHaveLength(1)
  })
})
