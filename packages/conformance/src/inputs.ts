// Checks what conformance() is given, before the first case runs. A wrong subject would fail in each case, far from the
// place where it was written.
import { checkOptions, UsageError } from '@memlayer/core'
import type { Options } from './case.js'
import type { Subject } from './subject.js'

/** The members of a subject, by the type that each has. */
const types: Readonly<Record<keyof Subject, string>> = {
  createOS: 'function',
  kernel: 'function',
  witness: 'function',
  name: 'string',
  errnos: 'object',
  usedKeepsReady: 'boolean',
  modest: 'object',
  skip: 'object',
}

/** Fails unless the subject is one. It may have members of its own. */
export function checkSubject(subject: unknown): void {
  if (typeof subject !== 'object' || subject === null) wrong('the subject is not an object', 'Pass { createOS }.')
  for (const [name, type] of Object.entries(types)) {
    const value: unknown = Reflect.get(subject, name)
    if (value === undefined && name !== 'createOS') continue
    if (typeof value !== type || value === null) wrong(`subject.${name} is ${kindOf(value)}`, `Make it a ${type}.`)
  }
  const { errnos, modest, skip } = subject as Partial<Subject>
  const areNumbers = errnos === undefined || (Array.isArray(errnos) && errnos.length > 0 && errnos.every(isErrno))
  if (!areNumbers)
    wrong('subject.errnos is not a list of error numbers', 'Pass positive whole numbers, or leave it out.')
  for (const [name, reasons] of Object.entries({ modest, skip })) {
    const odd = Object.entries(reasons ?? {}).find(([, reason]) => typeof reason !== 'string' || reason === '')
    if (odd !== undefined) wrong(`subject.${name}['${odd[0]}'] is not a reason`, 'Say in words why.')
  }
}

/** The seed of the options, or a random one. */
export function seedOf(options: Options): number {
  const { seed = Math.floor(Math.random() * 2 ** 31) } = checkOptions('conformance', options, ['seed'])
  if (!Number.isSafeInteger(seed)) wrong(`the option seed is ${String(seed)}`, 'Pass a whole number, or leave it out.')
  return seed
}

function isErrno(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : `of type ${typeof value}`
}

function wrong(what: string, hint: string): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `conformance: ${what}`, { op: 'conformance', hint })
}
