// What `memory.require` takes, and the check of it.
import { checkOptions, UsageError } from '@memlayer/core'

/** What `memory.require` takes. */
export interface Requirement {
  /** `'native'`: a backend of an operating system, and not os-js. */
  readonly backend: 'native'
}

/** @throws UsageError ERR_MEMLAYER_OPTION when the requirement is not known. */
export function checkRequirement(wanted: Requirement): void {
  const hint = "Pass { backend: 'native' }."
  const { backend } = checkOptions('require', wanted, ['backend'], hint)
  if ((backend as unknown) === 'native') return
  throw new UsageError('ERR_MEMLAYER_OPTION', `require: the backend is not 'native'`, { op: 'require', hint })
}
