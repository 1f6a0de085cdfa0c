// The format of a snapshot: a schema in the package has all of its fields, and its version says whether a reader knows
// them.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemory } from '@memlayer/core'
import { inspect, record, snapshotVersion, takeSnapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { findRegions, type NamedPlace, type OpenEntry } from '../src/log-regions.js'
import { fresh, living, MiB } from './living.js'
import { browserOf } from './open-page.js'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly type?: string | readonly string[]
}

const schema = JSON.parse(readFileSync(new URL('../schema/snapshot.json', import.meta.url), 'utf8')) as Schema & {
  readonly properties: { readonly version: { readonly const: number } }
}

/** The schema that refuses each field that it does not have. */
function closed(one: Schema): Schema {
  const mapped = (all: Readonly<Record<string, Schema>>): Record<string, Schema> =>
    Object.fromEntries(Object.entries(all).map(([name, inner]) => [name, closed(inner)]))
  return {
    ...one,
    ...(one.properties === undefined ? {} : { properties: mapped(one.properties), additionalProperties: false }),
    ...(one.$defs === undefined ? {} : { $defs: mapped(one.$defs) }),
    ...(one.items === undefined ? {} : { items: closed(one.items) }),
    ...(one.oneOf === undefined ? {} : { oneOf: one.oneOf.map(closed) }),
  }
}

const validate = new Ajv2020({ allowUnionTypes: true }).compile(closed(schema))

/** What is wrong with a snapshot, as it is in a file. */
function wrongIn(snapshot: unknown): unknown[] {
  validate(JSON.parse(JSON.stringify(snapshot)))
  return validate.errors ?? []
}

/** The fields that all files have, with their types. */
function fieldsOf(one: Schema, path = ''): string[] {
  const inner = Object.entries(one.properties ?? {}).flatMap(([name, property]) =>
    one.required?.includes(name) === true
      ? [`${path}.${name}: ${JSON.stringify(property.type ?? null)}`, ...fieldsOf(property, `${path}.${name}`)]
      : [],
  )
  const others = [...(one.oneOf ?? []), ...(one.items === undefined ? [] : [one.items])]
  const defs = Object.entries(one.$defs ?? {})
  return [
    ...inner,
    ...others.flatMap((other) => fieldsOf(other, `${path}[]`)),
    ...defs.flatMap(([name, def]) => fieldsOf(def, `#${name}`)),
  ].sort()
}

describe('a snapshot', () => {
  it('has the fields of the schema and no others, on hosts that know little and on those that know much', () => {
    expect(wrongIn(takeSnapshot(createMemory(createOS()), { explain: true }))).toEqual([])
    if (process.platform === 'linux') {
      const memory = living()
      memory.limit = { bytes: 2 ** 30 }
      using hold = memory.regions()[0]?.hold(0, 4096)
      expect(hold).toBeDefined()
      expect(wrongIn(takeSnapshot(memory, { explain: true }))).toEqual([])
    }
    // The schema does refuse.
    expect(wrongIn({ ...takeSnapshot(createMemory(createOS())), ranges: 'none' })).toHaveLength(1)
  })

  it('of another version has other fields: who changes those that all files have raises the version', () => {
    const digest = createHash('sha256').update(fieldsOf(schema).join('\n')).digest('hex').slice(0, 16)
    expect([schema.properties.version.const, digest]).toEqual([snapshotVersion, '6e0ebc800e7fdc8b'])
    expect(takeSnapshot(createMemory(createOS())).version).toBe(snapshotVersion)
  })

  it('that is recorded or saved is one too, and the page refuses a file of another version', async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('needs Linux')
    const folder = mkdtempSync(join(tmpdir(), 'memlayer-formats-'))
    const browser = await browserOf(ctx)
    const memory = living()
    await using inspector = await inspect(memory)
    using recording = record(memory, { every: 10 })
    memory.reserve(MiB, { name: 'one more' }).commit(0, MiB)
    await using tab = await browser.open(inspector.url)
    const { page } = tab
    await fresh(page)
    await fresh(page)
    const recorded = JSON.parse(readFileSync(recording.write(join(folder, 'x.json')), 'utf8')) as { history: unknown[] }
    expect(recorded.history.length).toBeGreaterThan(0)
    expect(wrongIn(recorded)).toEqual([])
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()])
    const saved = JSON.parse(readFileSync(await download.path(), 'utf8')) as { pages: unknown[] }
    expect(saved.pages.length).toBeGreaterThan(0)
    expect(wrongIn(saved)).toEqual([])
    const said = async (value: unknown): Promise<string | null> => {
      const buffer = Buffer.from(JSON.stringify(value))
      const before = await page.locator('#about').textContent()
      await page.locator('#open').setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer })
      await expect.poll(() => page.locator('#about').textContent()).not.toBe(before)
      return page.locator('#about').textContent()
    }
    await page.locator('#pause').click()
    await expect.poll(() => page.locator('#about').textContent()).toMatch(/^paused/)
    expect(await said({ ...saved, version: 1 })).toBe(
      `x.json is a snapshot of version 1, and this page reads version ${snapshotVersion}.`,
    )
    expect(await said({ format: 'other' })).toBe('x.json is not a snapshot of memlayer.')
    rmSync(folder, { recursive: true })
  })
})

describe('the log', () => {
  const region = (id: number, name: string, address: number, size = 10): NamedPlace => ({ id, name, address, size })
  const entry = (op: string, address: number | null, size = 10): OpenEntry => ({
    at: 0,
    op,
    address,
    size,
    category: null,
    region: null,
    outcome: 'done',
    answer: 'done',
  })

  it('names the region of an operation, also of one that is freed and of one that got its address', () => {
    const entries = [
      entry('sysMap', 100),
      entry('sysFree', 100),
      // This one came and went.
      entry('sysReserve', 100),
      entry('sysFree', 100),
      entry('sysReserve', 100),
      entry('sysMap', 105, 5),
      entry('sysMap', 200),
      entry('sysMap', 300),
      entry('sysReserve', null),
    ]
    findRegions(
      entries,
      [region(1, 'first', 100), region(2, 'stays', 200)],
      [region(4, 'last', 100), region(2, 'stays', 200)],
    )
    expect(entries.map((one) => one.region)).toEqual([
      'first',
      'first',
      null,
      null,
      'last',
      'last',
      'stays',
      null,
      null,
    ])
  })

  it('has the names in a snapshot of a live process, after the regions were freed too', async () => {
    const memory = createMemory(createOS())
    using recording = record(memory)
    const folder = mkdtempSync(join(tmpdir(), 'memlayer-log-'))
    const read = (): { op: string; region: string | null }[] =>
      (JSON.parse(readFileSync(recording.write(join(folder, 'log.json')), 'utf8')) as { log: OpenEntry[] }).log.map(
        ({ op, region: name }) => ({ op, region: name }),
      )
    const journal = memory.reserve(2 ** 16, { name: 'journal' })
    journal.commit(0, 2 ** 16)
    expect(read()).toEqual([
      { op: 'sysReserve', region: 'journal' },
      { op: 'sysMap', region: 'journal' },
      { op: 'sysUsed', region: 'journal' },
    ])
    journal.free()
    expect(read().at(-1)).toEqual({ op: 'sysFree', region: 'journal' })
    rmSync(folder, { recursive: true })
  })
})
