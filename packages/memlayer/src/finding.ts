// A finding of doctor: one fact about this host, and what to do about it. doctor.ts and limits.ts make
// them, commands.ts prints them.

/** One finding. */
export interface Finding {
  /** `warning`: it will cause trouble. `error`: memlayer cannot work. */
  readonly level: 'ok' | 'warning' | 'error'
  /** What it is about: `backend`, `pages`, `mappings`, … */
  readonly topic: string
  /** One or more sentences. */
  readonly says: string
  /** What to do about it. Absent: nothing. */
  readonly hint?: string
}

/** A finding that asks for nothing. */
export function ok(topic: string, says: string): Finding {
  return { level: 'ok', topic, says }
}

/** A finding to act on. `hint` says how. */
export function warning(topic: string, says: string, hint: string): Finding {
  return { level: 'warning', topic, says, hint }
}

/** The exit code of the command: 0, 1 after a warning, 2 after an error. */
export function exitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ level }) => level === 'error')) return 2
  return findings.some(({ level }) => level === 'warning') ? 1 : 0
}
