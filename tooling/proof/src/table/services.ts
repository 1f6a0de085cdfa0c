// Ways in which the services of a host are wrong: read, write, and the reports.
import type { OS } from '@memlayer/core'
import type { HostServices } from '@memlayer/kernel'
import { over, type Fault, type Patient } from './fault.js'

type Service = keyof HostServices

/** Copies bytes at an address. */
type Copy = (v: number, bytes: Uint8Array) => void

const copyWays: Readonly<Record<string, (right: Copy, page: number) => Copy>> = {
  'copies nothing': () => () => undefined,
  'leaves the first byte': (right) => (v, bytes) => right(v + 1, bytes.subarray(1)),
  'leaves the last byte': (right) => (v, bytes) => right(v, bytes.subarray(0, -1)),
  'copies a byte further': (right) => (v, bytes) => right(v + 1, bytes),
  'copies a page further': (right, page) => (v, bytes) => right(v + page, bytes),
  'copies from the start of the page': (right, page) => (v, bytes) => right(v - (v % page), bytes),
  'copies at most a page': (right, page) => (v, bytes) => right(v, bytes.subarray(0, page)),
  'copies at most 64 KiB': (right) => (v, bytes) => right(v, bytes.subarray(0, 65536)),
  'copies at most 1 MiB': (right) => (v, bytes) => right(v, bytes.subarray(0, 2 ** 20)),
  'copies nothing beyond 1 MiB': (right) => (v, bytes) => (bytes.length > 2 ** 20 ? undefined : right(v, bytes)),
  'copies words of 8 bytes only': (right) => (v, bytes) => right(v, bytes.subarray(0, bytes.length & -8)),
  'copies the bytes backwards': (right) => (v, bytes) => {
    const own = bytes.toReversed()
    right(v, own)
    bytes.set(own.toReversed())
  },
  'takes the buffer from its start': (right) => (v, bytes) => right(v, new Uint8Array(bytes.buffer, 0, bytes.length)),
  'works only once': (right) => {
    let count = 0
    return (v, bytes) => ((count += 1) > 1 ? undefined : right(v, bytes))
  },
  'works only 1,000 times': (right) => {
    let count = 0
    return (v, bytes) => ((count += 1) > 1000 ? undefined : right(v, bytes))
  },
  'copies one byte to all places': (right) => (v, bytes) => {
    right(v, bytes)
    const [first = 0] = bytes
    right(v, bytes.slice().fill(first))
    bytes.fill(first)
  },
}

/** The words of a report on residency: address, length and bits of each run. */
type Words = number[] | null

const residencyWays: Readonly<Record<string, (right: Words, v: number, n: number, page: number) => Words>> = {
  'tells nothing': () => null,
  'tells that no page has memory': () => [],
  'tells that every page has memory': (_right, v, n) => [v, n, 1],
  'tells a page less': (right, _v, _n, page) => right && right.map((word, i) => (i % 3 === 1 ? word - page : word)),
  'tells the runs a page further': (right, _v, _n, page) =>
    right && right.map((word, i) => (i % 3 === 0 ? word + page : word)),
  'leaves the first run': (right) => right && right.slice(3),
  'leaves the last run': (right) => right && right.slice(0, -3),
  'leaves the runs beyond 64': (right) => right && right.slice(0, 192),
  'tells huge pages everywhere': (right) => right && right.map((word, i) => (i % 3 === 2 ? word | 2 : word)),
}

interface Count {
  readonly used: number
  readonly limit: number
}

const mappingWays: Readonly<Record<string, (right: Count, first: Count) => Count>> = {
  'counts none': ({ limit }) => ({ used: 0, limit }),
  'counts twice': ({ used, limit }) => ({ used: 2 * used, limit: 2 * limit }),
  'counts half': ({ used, limit }) => ({ used: used >> 1, limit }),
  'tells the first count again': ({ limit }, first) => ({ used: first.used, limit }),
  'counts at most 64': ({ used, limit }) => ({ used: Math.min(used, 64), limit }),
  'counts at most 1,000': ({ used, limit }) => ({ used: Math.min(used, 1000), limit }),
  'tells a limit of a million': ({ used }) => ({ used, limit: 1e6 }),
  'tells a limit that is passed': ({ used }) => ({ used, limit: used >> 1 }),
}

const byteWays: Readonly<Record<string, (right: number, n: number) => number>> = {
  'tells 0': () => 0,
  'tells twice as much': (right) => 2 * right,
  'tells the whole range': (_right, n) => n,
  'tells at most 2 MiB': (right) => Math.min(right, 2 ** 21),
}

function inKiB(report: object): object {
  const words = Object.entries(report).map(([name, value]: [string, unknown]): [string, unknown] => [
    name,
    typeof value === 'number' ? value / 1024 : value,
  ])
  return Object.fromEntries(words)
}

/** The faults of the services that the backend's host has. */
export function serviceFaults(os: OS): Fault[] {
  const { host } = os
  const faults = (['read', 'write', 'residency', 'mappings', 'hugePages'] as const).flatMap((service) =>
    host?.[service] === undefined ? [] : faultsOf(service),
  )
  if (host?.limits === undefined) return faults
  return [...faults, serviceFault('limits', 'tells KiB', (patient) => () => inKiB(patient.os.host?.limits?.() ?? {}))]
}

function faultsOf(service: 'read' | 'write' | 'residency' | 'mappings' | 'hugePages'): Fault[] {
  if (service === 'residency') {
    return Object.entries(residencyWays).map(([way, wrong]) =>
      serviceFault(
        service,
        way,
        ({ os, page }) =>
          (v: number, n: number) =>
            wrong(os.host?.residency?.(v, n) ?? null, v, n, page),
      ),
    )
  }
  if (service === 'mappings') {
    return Object.entries(mappingWays).map(([way, wrong]) =>
      serviceFault(service, way, ({ os }) => {
        const tell = (): Count => os.host?.mappings?.() ?? { used: NaN, limit: NaN }
        const first = tell()
        return () => wrong(tell(), first)
      }),
    )
  }
  if (service === 'hugePages') {
    return Object.entries(byteWays).map(([way, wrong]) =>
      serviceFault(
        service,
        way,
        ({ os }) =>
          (v: number, n: number) =>
            wrong(os.host?.hugePages?.(v, n) ?? NaN, n),
      ),
    )
  }
  return Object.entries(copyWays).map(([way, wrong]) =>
    serviceFault(service, way, ({ os, page }) => wrong((v, bytes) => os.host?.[service]?.(v, bytes), page)),
  )
}

function serviceFault(service: Service, way: string, make: (patient: Patient) => unknown): Fault {
  return {
    fn: `host.${service}`,
    way,
    change: (patient) => ({ host: over(patient.os.host ?? {}, { [service]: make(patient) }) }),
  }
}
