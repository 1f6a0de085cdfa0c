// What stands well on this host and what will bite: findings, each a sentence with what to do. commands.ts prints them.
import { formatBytes, type Memory } from '@memlayer/core'
import { limitFindings } from './limits.js'
import type { HostMemory } from './memory.js'
import { selfTest } from './self-test.js'

/** One finding. */
export interface Finding {
  /** `error`: it cannot work. */
  readonly level: 'ok' | 'warning' | 'error'
  /** What it is about: `backend`, `pages`, `mappings`, … */
  readonly topic: string
  /** A sentence. */
  readonly says: string
  /** What to do about it; absent: nothing has to be done. */
  readonly hint?: string
}

/** Looks at this host. */
export function doctor(memory: HostMemory): Finding[] {
  let findings: Finding[]
  try {
    findings = [backend(memory), ...tried(memory), ...engine(memory), pages(memory)]
  } catch (error) {
    return [failed('backend', error)]
  }
  return [...findings, ...limitFindings(memory.os.host?.limits?.() ?? null), ...test(memory)]
}

/** 0, 1 with warnings, 2 where it cannot work. */
export function exitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ level }) => level === 'error')) return 2
  return findings.some(({ level }) => level === 'warning') ? 1 : 0
}

function backend({ choice, os }: HostMemory): Finding {
  const { backend: name, how, reason, tried: others = [] } = choice
  if (how !== 'fallback') return { level: 'ok', topic: 'backend', says: `${name} serves, for ${os.name}: ${reason}.` }
  const hint = 'Memory is a WebAssembly memory of the engine meanwhile: it grows, and gives little back.'
  return {
    level: 'warning',
    topic: 'backend',
    says: `${name} serves in place of this host's own${others.length > 0 ? '' : `: ${reason}`}.`,
    hint,
  }
}

function tried({ choice }: HostMemory): Finding[] {
  return (choice.tried ?? []).map(({ backend: name, reason, hint }) => ({
    level: 'warning',
    topic: 'tried',
    says: `${name} was tried and not taken: ${reason}.`,
    hint,
  }))
}

function engine({ os }: HostMemory): Finding[] {
  const calls = os.host?.foreignCalls ?? null
  if (calls === null)
    return [
      {
        level: 'ok',
        topic: 'engine',
        says: `No foreign calls are made: the memory of ${os.name} here is not reached by them, or its kernel does not say.`,
      },
    ]
  const passed = calls.passedOver.map(({ name, reason, hint }): Finding => {
    const says = `${name} was tried for foreign calls and not taken: ${reason}.`
    return hint === '' ? { level: 'ok', topic: 'tried', says } : { level: 'warning', topic: 'tried', says, hint }
  })
  const cost = calls.engine === 'node:ffi' ? ', whose calls cost three to five times those of koffi' : ''
  return [{ level: 'ok', topic: 'engine', says: `Foreign calls are made by ${calls.engine}${cost}.` }, ...passed]
}

function pages({ os }: Memory): Finding {
  const { pageSize, granularity, hugePageSize } = os.traits
  const huge = hugePageSize === 0 ? 'no huge pages are to be had' : `huge pages are ${formatBytes(hugePageSize)}`
  return {
    level: 'ok',
    topic: 'pages',
    says: `Pages are ${formatBytes(pageSize)}, reservations begin at multiples of ${formatBytes(granularity)}, and ${huge}.`,
  }
}

function test(memory: Memory): Finding[] {
  try {
    const { wrong, done, untried } = selfTest(memory)
    const faults = wrong.map((says): Finding => ({
      level: 'error',
      topic: 'self-test',
      says,
      hint: 'This host or its backend has a fault that is worth a report.',
    }))
    if (faults.length > 0) return faults
    return [
      { level: 'ok', topic: 'self-test', says: done },
      ...untried.map((says): Finding => ({ level: 'ok', topic: 'self-test', says })),
    ]
  } catch (error) {
    return [failed('self-test', error)]
  }
}

function failed(topic: string, error: unknown): Finding {
  const { message, hint } = error as { message?: unknown; hint?: unknown }
  return { level: 'error', topic, says: String(message ?? error), ...(typeof hint === 'string' ? { hint } : {}) }
}
