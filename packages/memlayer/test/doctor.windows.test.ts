// doctor on Windows: that system's limits, and whether the kernel says that a faulted range traps.
import { needsWindows, runOnWindows } from '@memlayer/wine'
import { expect, it } from 'vitest'
import type { Finding } from '../dist/finding.js'

it('doctor finds Windows sound, with the limits of that system and with a self-test', async (context) => {
  needsWindows(context)
  const { code, stdout, stderr } = await runOnWindows('windows/doctor.ts', { folder: import.meta.dirname })
  expect([code, stderr]).toEqual([0, ''])
  const findings = JSON.parse(stdout) as Finding[]
  expect(findings.map(({ topic }) => topic)).toEqual([
    'backend',
    'other memory',
    'engine',
    'pages',
    'commit limit',
    'address space',
    'pressure',
    'freed addresses',
    'self-test',
  ])
  expect(findings.filter(({ level }) => level === 'error')).toEqual([])
  expect(findings[4]?.says).toMatch(/^The commit limit is [\d.]+ [GT]iB .* [\d.]+ [MG]iB are left\.$/)
  expect(findings[1]?.says).toMatch(/^memlayer\/engine has memory .*os-engine is installed\.$/)
  expect(findings[6]?.says).toMatch(/tells? memory\.onPressure/)
  expect(findings[8]?.says).toMatch(/ 16 regions in [\d.]+ s\.$/)
})
