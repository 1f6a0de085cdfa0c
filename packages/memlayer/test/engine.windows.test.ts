// memlayer/engine on Windows, and MEMLAYER_OS=engine: see windows/engine.ts.
import { needsWindows, runOnWindows } from '@memlayer/wine'
import { expect, it } from 'vitest'
import type { Finding } from '../dist/finding.js'

const folder = import.meta.dirname

it('memlayer/engine serves on Windows: a view that was kept reads zero, and doctor finds it sound', async (context) => {
  needsWindows(context)
  const { code, stdout, stderr } = await runOnWindows('windows/engine.ts', { folder })
  expect([code, stderr]).toEqual([0, ''])
  const { findings, ...facts } = JSON.parse(stdout) as { readonly findings: readonly Finding[] }
  expect(facts).toEqual({ name: 'engine', backend: '@memlayer/os-engine', how: 'pin', read: [0, 7, 2 ** 20] })
  expect(findings.filter(({ level }) => level === 'error')).toEqual([])
  expect(findings.find(({ topic }) => topic === 'other memory')?.says).toMatch(/memory of the operating system/)
  expect(findings.find(({ topic }) => topic === 'self-test')?.says).toMatch(/freed 16 regions/)
})

it('MEMLAYER_OS=engine makes it the memory of memlayer on Windows', async (context) => {
  needsWindows(context)
  const run = await runOnWindows('windows/doctor.ts', { folder, env: { MEMLAYER_OS: 'engine' } })
  expect([run.code, run.stderr]).toEqual([0, ''])
  const findings = JSON.parse(run.stdout) as Finding[]
  expect(findings.find(({ topic }) => topic === 'backend')?.says).toBe(
    '@memlayer/os-engine serves engine because the environment variable MEMLAYER_OS is engine.',
  )
})
