// memlayer has all exports of core, so users do not need a second package for a class or a type.
import { readFileSync } from 'node:fs'
import * as core from '@memlayer/core'
import * as memlayer from 'memlayer'
import { describe, expect, it } from 'vitest'

const names = (report: string): string[] =>
  [
    ...report.matchAll(/^export (?:abstract class|class|function|interface|type|const) (\w+)|^export \{ (\w+) \}/gm),
  ].map(([, declared, passed]) => declared ?? passed ?? '')

describe("core's exports", () => {
  it('are exported here with the same values', () => {
    for (const [name, value] of Object.entries(core))
      expect([name, (memlayer as Record<string, unknown>)[name]]).toEqual([name, value])
  })

  it('are exported here as types, too', () => {
    const own = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8')
    const report = readFileSync(new URL('../../core/etc/index.api.md', import.meta.url), 'utf8')
    expect(names(report).length).toBeGreaterThan(25)
    expect(names(report).filter((name) => !new RegExp(`\\b${name}\\b`).test(own))).toEqual([])
  })
})
