// A finding of doctor: one fact about this host, and what to do about it. doctor.ts and limits.ts make
// them, commands.ts prints them.

/** What a finding says, as a word that never changes: `mappings-near`. */
export type FindingCode =
  | 'runtime-old'
  | 'backend'
  | 'backend-fallback'
  | 'backend-failed'
  | 'backend-tried'
  | 'other-memory'
  | 'engine'
  | 'engine-none'
  | 'engine-tried'
  | 'allocator'
  | 'allocator-unknown'
  | 'pages'
  | 'huge-pages'
  | 'huge-pages-disabled'
  | 'huge-pages-never'
  | 'huge-pages-unknown'
  | 'limits-unknown'
  | 'proc-missing'
  | 'mappings'
  | 'mappings-near'
  | 'address-space'
  | 'address-space-near'
  | 'data-size'
  | 'data-size-near'
  | 'locked-memory'
  | 'locked-memory-near'
  | 'descriptors'
  | 'descriptors-few'
  | 'descriptors-none'
  | 'overcommit'
  | 'overcommit-near'
  | 'overcommit-unknown'
  | 'commit-limit'
  | 'commit-limit-near'
  | 'group'
  | 'group-near'
  | 'group-high'
  | 'group-high-near'
  | 'engine-heap'
  | 'pressure'
  | 'freed-addresses'
  | 'filter'
  | 'filter-untried'
  | 'filter-ends'
  | 'filter-ends-batch'
  | 'filter-ends-threads'
  | 'batch'
  | 'batch-refused'
  | 'populate-refused'
  | 'huge-pages-refused'
  | 'residency-refused'
  | 'residency-part'
  | 'threads-unknown'
  | 'self-test'
  | 'self-test-untried'
  | 'self-test-wrong'
  | 'self-test-failed'

/** What each finding is about, by its code. A code is API: it is never renamed. */
export const topics: Readonly<Record<FindingCode, string>> = {
  'runtime-old': 'runtime',
  backend: 'backend',
  'backend-fallback': 'backend',
  'backend-failed': 'backend',
  'backend-tried': 'tried',
  'other-memory': 'other memory',
  engine: 'engine',
  'engine-none': 'engine',
  'engine-tried': 'tried',
  allocator: 'allocator',
  'allocator-unknown': 'allocator',
  pages: 'pages',
  'huge-pages': 'huge pages',
  'huge-pages-disabled': 'huge pages',
  'huge-pages-never': 'huge pages',
  'huge-pages-unknown': 'huge pages',
  'limits-unknown': 'limits',
  'proc-missing': '/proc',
  mappings: 'mappings',
  'mappings-near': 'mappings',
  'address-space': 'address space',
  'address-space-near': 'address space',
  'data-size': 'data size',
  'data-size-near': 'data size',
  'locked-memory': 'locked memory',
  'locked-memory-near': 'locked memory',
  descriptors: 'descriptors',
  'descriptors-few': 'descriptors',
  'descriptors-none': 'descriptors',
  overcommit: 'overcommit',
  'overcommit-near': 'overcommit',
  'overcommit-unknown': 'overcommit',
  'commit-limit': 'commit limit',
  'commit-limit-near': 'commit limit',
  group: 'control group',
  'group-near': 'control group',
  'group-high': 'control group',
  'group-high-near': 'control group',
  'engine-heap': 'engine heap',
  pressure: 'pressure',
  'freed-addresses': 'freed addresses',
  filter: 'system calls',
  'filter-untried': 'system calls',
  'filter-ends': 'system calls',
  'filter-ends-batch': 'system calls',
  'filter-ends-threads': 'system calls',
  batch: 'system calls',
  'batch-refused': 'system calls',
  'populate-refused': 'system calls',
  'huge-pages-refused': 'system calls',
  'residency-refused': 'system calls',
  'residency-part': 'system calls',
  'threads-unknown': 'system calls',
  'self-test': 'self-test',
  'self-test-untried': 'self-test',
  'self-test-wrong': 'self-test',
  'self-test-failed': 'self-test',
}

/** One finding. */
export interface Finding {
  /** `warning`: it will cause trouble. `error`: memlayer cannot work. */
  readonly level: 'ok' | 'warning' | 'error'
  /** What it says, as a word that never changes. Sentences do. */
  readonly code: FindingCode
  /** What it is about: `backend`, `pages`, `mappings`, … */
  readonly topic: string
  /** One or more sentences. */
  readonly says: string
  /** What to do about it. Absent: nothing. */
  readonly hint?: string
}

/** A finding that asks for nothing. */
export function ok(code: FindingCode, says: string): Finding {
  return { level: 'ok', code, topic: topics[code], says }
}

/** A finding to act on. `hint` says how. */
export function warning(code: FindingCode, says: string, hint: string): Finding {
  return { level: 'warning', code, topic: topics[code], says, hint }
}

/** A finding because of which memlayer can't work. */
export function failure(code: FindingCode, says: string, hint?: string): Finding {
  return { level: 'error', code, topic: topics[code], says, ...(hint === undefined ? {} : { hint }) }
}

/** The exit code of the command: 0, 1 after a warning, 2 after an error. */
export function exitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ level }) => level === 'error')) return 2
  return findings.some(({ level }) => level === 'warning') ? 1 : 0
}
