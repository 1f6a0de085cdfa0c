// Runs the quick places of the matrix, and compares each row with the README of memlayer. `npm run matrix` runs all.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from '@memlayer/checks/workspace'
import { requireEngine } from '@memlayer/engines'
import { lineOf, openLab, placeRow, places, type Lab } from '@memlayer/matrix'
import { isLong } from '@memlayer/witness'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux' && process.arch === 'x64'

describe.skipIf(!onLinux)('a place (needs Linux on x64)', () => {
  let lab: Lab
  let app: string
  beforeAll(async () => {
    lab = await openLab()
    app = await lab.install('placed', ['memlayer'])
  })
  afterAll(async () => lab[Symbol.asyncDispose]())

  const readme = readFileSync(join(checkout, 'packages', 'memlayer', 'README.md'), 'utf8').split('\n')

  it.for(places.filter(({ isSlow, node }) => isSlow !== true && (isLong || node === 'node24')))(
    '$title on $node has the backend that the README says',
    async (place, context) => {
      if (place.node !== 'node24') requireEngine(place.node, context)
      expect(readme).toContain(lineOf(await placeRow(place, lab, app)))
    },
  )
})
