// Tests that the porting guide says of each case what to look at when it fails.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { conformance } from '@memlayer/conformance'
import { simulatedSubjects, type AnySubject } from '@memlayer/proof'
import { expect, it } from 'vitest'

it('has a row in the porting guide for the part of each case, and no other row', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../packages/docs/porting.md'), 'utf8')
  const [, section = ''] = guide.split('## When a case fails')
  const [table = ''] = section.split('\n## ')
  const rows = [...table.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, part]) => part)
  const cases = conformance(simulatedSubjects[0] as AnySubject)
  const parts = new Set(cases.map(({ id }) => id.slice(0, id.indexOf('/'))))
  expect(new Set(rows)).toEqual(parts)
  expect(rows).toHaveLength(parts.size)
})
