// What stands well on this host and what will bite: findings, each a sentence with what to do. cli.ts prints them.
import { formatBytes, type Memory } from '@memlayer/core'
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

/** A whole region of memory, in bytes: less than this and a limit is worth a warning. */
const PLENTY = 2 ** 30

/** Looks at this host. */
export function doctor(memory: HostMemory): Finding[] {
  let findings: Finding[]
  try {
    findings = [backend(memory), pages(memory)]
  } catch (error) {
    return [failed('backend', error)]
  }
  return [...findings, ...limits(memory), ...test(memory)]
}

/** 0, 1 with warnings, 2 where it cannot work. */
export function exitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ level }) => level === 'error')) return 2
  return findings.some(({ level }) => level === 'warning') ? 1 : 0
}

function backend({ choice, os }: HostMemory): Finding {
  const { backend: name, how, reason } = choice
  if (how !== 'fallback') return { level: 'ok', topic: 'backend', says: `${name} serves, for ${os.name}: ${reason}.` }
  const hint = 'Memory is a WebAssembly memory of the engine meanwhile: it grows, and gives little back.'
  return { level: 'warning', topic: 'backend', says: `${name} serves in place of this host's own: ${reason}`, hint }
}

function pages({ os }: Memory): Finding {
  const { pageSize, granularity, hugePageSize } = os.traits
  const huge = hugePageSize === 0 ? 'no huge pages are to be had' : `huge pages are ${formatBytes(hugePageSize)}`
  return { level: 'ok', topic: 'pages', says: `Pages are ${formatBytes(pageSize)}, reservations begin at multiples of ${formatBytes(granularity)}, and ${huge}.` }
}

type Limits = NonNullable<ReturnType<NonNullable<Memory['os']['limits']>>>

function limits({ os }: Memory): Finding[] {
  const found = os.limits?.() ?? null
  if (found === null) return []
  return [mappings(found), addressSpace(found), lockedMemory(found), overcommit(found), group(found)]
}

function mappings({ mappings: used, maxMappings: limit }: Limits): Finding {
  const says = `The process has ${used} of ${limit} kernel mappings.`
  if (!(used > limit / 2)) return { level: 'ok', topic: 'mappings', says }
  return { level: 'warning', topic: 'mappings', says, hint: 'Raise vm.max_map_count with sysctl, or keep pages of one state side by side.' }
}

function addressSpace({ addressSpace: limit, addressSpaceUsed: used }: Limits): Finding {
  if (!Number.isFinite(limit)) return { level: 'ok', topic: 'address space', says: 'Address space has no limit (ulimit -v).' }
  const says = `Address space is limited to ${formatBytes(limit)}, and ${formatBytes(used)} are in use (ulimit -v).`
  if (limit - used > 64 * PLENTY) return { level: 'ok', topic: 'address space', says }
  return { level: 'warning', topic: 'address space', says, hint: 'Reservations count in full: raise it with ulimit -v unlimited.' }
}

function lockedMemory({ lockedMemory: limit }: Limits): Finding {
  const amount = Number.isFinite(limit) ? formatBytes(limit) : 'without limit'
  return { level: 'ok', topic: 'locked memory', says: `Memory may be locked: ${amount} (ulimit -l). It matters under mlockall alone.` }
}

function overcommit({ overcommit: mode, commitLimit, committed }: Limits): Finding {
  if (mode !== 2) return { level: 'ok', topic: 'overcommit', says: `The kernel hands out more memory than it has (vm.overcommit_memory is ${mode}): reservations cost nothing.` }
  const says = `The kernel counts what it hands out (vm.overcommit_memory is 2): ${formatBytes(committed)} of ${formatBytes(commitLimit)} are committed.`
  if (commitLimit - committed > PLENTY) return { level: 'ok', topic: 'overcommit', says }
  return { level: 'warning', topic: 'overcommit', says, hint: 'What is mapped counts before it is touched: map less ahead, or raise vm.overcommit_ratio.' }
}

function group({ groupLimit: limit, groupUsed: used }: Limits): Finding {
  if (!Number.isFinite(limit)) return { level: 'ok', topic: 'control group', says: 'No control group limits the memory of this process.' }
  const says = `Its control group has ${formatBytes(used)} of ${formatBytes(limit)}.`
  if (used < 0.8 * limit) return { level: 'ok', topic: 'control group', says }
  return { level: 'warning', topic: 'control group', says, hint: 'Beyond it the kernel ends the process: give pages back with sysUnused, or raise memory.max.' }
}

function test(memory: Memory): Finding[] {
  try {
    const wrong = selfTest(memory)
    if (wrong.length === 0) return [{ level: 'ok', topic: 'self-test', says: 'A region was reserved, mapped, used, given back, faulted and freed on real memory, and did as it should.' }]
    return wrong.map((says) => ({ level: 'error', topic: 'self-test', says, hint: 'This host or its backend has a fault that is worth a report.' }))
  } catch (error) {
    return [failed('self-test', error)]
  }
}

function failed(topic: string, error: unknown): Finding {
  const { message, hint } = error as { message?: unknown; hint?: unknown }
  return { level: 'error', topic, says: String(message ?? error), ...(typeof hint === 'string' ? { hint } : {}) }
}
