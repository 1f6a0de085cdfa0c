// memlayer/doctor: looks at this host. Which backend serves, what limits are close, and whether memory does as it
// should. commands.ts prints the findings.
import { formatBytes, type Memory } from '@memlayer/core'
import { ENGINE, mayServe, type Attempt, type Choice } from './choice.js'
import { environment } from './environment.js'
import { failure, ok, warning, type Finding, type FindingCode } from './finding.js'
import { limitFindings } from './limits.js'
import { limitsWhileReserved } from './locked.js'
import type { HostMemory } from './lazy-memory.js'
import { memory as ownMemory } from './memory.js'
import { isInstalled } from './native-require.js'
import type { Requirement } from './requirement.js'
import { selfTest } from './self-test.js'
import { systemCalls, type SystemCalls } from './system-calls.js'

export type { Attempt, Choice, Finding, FindingCode, HostMemory, Requirement }

/**
 * Looks at this host: what `npx memlayer doctor` prints, as data. It reserves, touches and frees memory to see whether
 * that works, which takes some milliseconds. It never throws: what fails is a finding. Default: `memory` of memlayer.
 */
export function doctor(memory: HostMemory = ownMemory): Finding[] {
  let findings: Finding[]
  let calls: SystemCalls
  try {
    findings = [backend(memory), ...tried(memory), ...other(memory), ...engine(memory)]
    // What comes after it uses the layer, and a filter may end the process for that.
    calls = systemCalls(memory)
    if (calls.endsProcess) return [...findings, ...limitFindings(memory.os.host?.limits?.() ?? null), ...calls.findings]
    findings.push(...allocator(memory), pages(memory))
  } catch (error) {
    return [failed('backend-failed', error)]
  }
  return [
    ...findings,
    ...limitFindings(limitsWhileReserved(memory)),
    ...headroom(memory),
    pressure(memory),
    retired(memory),
    ...calls.findings,
    ...test(memory),
  ]
}

const untilThen = 'Until then, memory comes from a WebAssembly memory, which never shrinks.'

function backend({ choice, os }: HostMemory): Finding {
  const { backend: name, how, reason, tried: others = [] } = choice
  if (how !== 'fallback') return ok('backend', `${name} serves ${os.name} because ${reason}.`)
  // The findings about the others have the reason otherwise.
  const why = others.length > 0 ? '' : ` because ${reason}`
  return warning(
    'backend-fallback',
    `${name} serves in place of this host's own backend${why}.`,
    others.length > 0
      ? `Follow the hint of the next warning. ${untilThen}`
      : `Remove what stands in its way. ${untilThen}`,
  )
}

/** The memory beside: which one when is on a page of its own. */
function other({ choice }: HostMemory): Finding[] {
  if (choice.backend === ENGINE)
    return [ok('other-memory', "Memlayer's main entry has memory of the operating system.")]
  const { platform } = environment()
  if (platform === undefined || !mayServe(ENGINE, platform)) return []
  const is = isInstalled(ENGINE) === true ? 'is' : 'is not'
  return [ok('other-memory', `memlayer/engine has memory that the JavaScript engine owns. ${ENGINE} ${is} installed.`)]
}

function tried({ choice }: HostMemory): Finding[] {
  return (choice.tried ?? []).map(({ backend: name, reason, hint }) =>
    warning('backend-tried', `${name} can't serve: ${reason}.`, hint),
  )
}

function engine({ os }: HostMemory): Finding[] {
  const calls = os.host?.foreignCalls ?? null
  if (calls === null) {
    return [ok('engine-none', `${os.name} makes no foreign calls here, or its kernel does not name an engine.`)]
  }
  const passed = calls.passedOver.map(({ name, reason, hint }) => {
    const says = `${name} can't make foreign calls: ${reason}.`
    return hint === '' ? ok('engine-tried', says) : warning('engine-tried', says, hint)
  })
  const cost = calls.engine === 'node:ffi' ? ' A call costs three to five times as much as with koffi.' : ''
  return [ok('engine', `${calls.engine} makes the foreign calls.${cost}`), ...passed]
}

/** Who serves malloc, where the host tells. */
function allocator({ os }: Memory): Finding[] {
  const served = os.host?.processMemory?.()?.allocator
  if (served === undefined) return []
  if (served !== 'unknown') return [ok('allocator', `${served} serves malloc.`)]
  const says = 'An allocator that memlayer does not know serves malloc, so explain() does not tell its memory'
  return [ok('allocator-unknown', `${says}, and trimHost() does not reach it.`)]
}

function pages({ os }: Memory): Finding {
  const { pageSize, granularity, hugePageSize } = os.traits
  const huge = hugePageSize === 0 ? 'There are no huge pages.' : `Huge pages are ${formatBytes(hugePageSize)}.`
  const starts = `Reservations begin at multiples of ${formatBytes(granularity)}.`
  return ok('pages', `Pages are ${formatBytes(pageSize)}. ${starts} ${huge}`)
}

/** What the layer leaves to the engine under the limits above. Core has the policy. */
function headroom({ os }: Memory): Finding[] {
  const { used = NaN, limit = NaN } = os.host?.heap?.() ?? {}
  if (!(limit > used)) return []
  const grows = `The JavaScript heap may still grow by ${formatBytes(limit - used)}.`
  const leaves = 'The layer leaves the engine that much, but at most half of each limit.'
  return [ok('engine-heap', `${grows} ${leaves} createMemory(os, { engineHeap }) sets other bytes.`)]
}

/** What tells memory.onPressure that memory is short. */
function pressure({ os }: Memory): Finding {
  const source = os.host?.pressure?.()?.source ?? null
  if (source === null) return ok('pressure', 'A limit that is near tells memory.onPressure. This host tells no more.')
  return ok('pressure', `${source[0]?.toUpperCase()}${source.slice(1)} tells memory.onPressure, and so does a limit.`)
}

/** What becomes of freed addresses that JavaScript has seen. */
function retired({ os }: Memory): Finding {
  if (os.traits.ends === 'zeroed')
    return ok('freed-addresses', 'The engine keeps what code can reach. A late access finds zeroes.')
  const { quarantine } = os
  if (os.sysRetireOS === undefined || quarantine === undefined) {
    return ok(
      'freed-addresses',
      `${os.name} does not keep freed addresses. A view that was moved may reach what comes there next.`,
    )
  }
  const { space, writable } = quarantine
  const kept = `Freed addresses that JavaScript has seen are kept, up to ${formatBytes(space)}.`
  if (writable >= space) return ok('freed-addresses', `${kept} A late access finds zeroes.`)
  return ok(
    'freed-addresses',
    `${kept} A late access to the last ${formatBytes(writable)} finds zeroes. An older one faults.`,
  )
}

function test(memory: Memory): Finding[] {
  try {
    const { wrong, done, untried } = selfTest(memory)
    if (wrong.length === 0) return [ok('self-test', done), ...untried.map((says) => ok('self-test-untried', says))]
    const hint =
      'Report it at https://github.com/memlayer/memlayer/issues, because this host or its backend has a fault.'
    return wrong.map((says) => failure('self-test-wrong', says, hint))
  } catch (error) {
    return [failed('self-test-failed', error)]
  }
}

function failed(code: FindingCode, error: unknown): Finding {
  const { message, hint } = error as { message?: unknown; hint?: unknown }
  const told = String(message ?? error)
  if (typeof hint !== 'string') return failure(code, told)
  // The message of an error ends with its hint.
  return failure(code, told.endsWith(hint) ? told.slice(0, -hint.length).trimEnd() : told, hint)
}
