// Random histories where Node for Linux is not: in Node for Windows, and in a browser.
import { openEngine, runModule } from '@memlayer/browser'
import { describeOnWindows } from '@memlayer/wine'
import { isLong, testSeed } from '@memlayer/witness'
import { expect, it } from 'vitest'
import type { Summary } from './portable/history.js'

describeOnWindows('on kernel32', {
  folder: import.meta.dirname,
  file: 'windows/model.ts',
  timeout: isLong ? 900_000 : 120_000,
})

it.for(['page', 'worker'] as const)('a heap is the same as its shadow in a %s of Chromium', async (where, context) => {
  await using engine = await openEngine.Chromium(context)
  const options = { in: where, call: 'inWebAssembly', args: [isLong ? 1_000_000 : 50_000, testSeed()] }
  const { value, complaints } = await runModule(engine, new URL('./portable/entry.ts', import.meta.url), options)
  expect(complaints).toEqual([])
  const { name, objects, held } = value as Summary
  expect([name, held]).toEqual(['js', 0])
  expect(objects).toBeGreaterThan(100)
})
