// MEMLAYER_LIMIT: the limit of the process's memory, from its environment.
import { UsageError, type LimitOptions } from '@memlayer/core'

const units: Readonly<Record<string, number>> = { '': 1, B: 1, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 }

/**
 * What `memory.limit` is set to by `80%`, `2GiB`, `auto` or `off`. It is measured against the whole process.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION for any other text.
 */
export function limitOf(text: string | undefined): LimitOptions | null {
  if (text === undefined || text === 'off') return null
  if (text === 'auto') return { bytes: 'auto', of: 'process' }
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*(%|B|[KMGT]iB)?$/i.exec(text) ?? []
  if (unit === '%' && Number(number) > 0 && Number(number) <= 100)
    return { bytes: 'auto', ratio: Number(number) / 100, of: 'process' }
  const factor = units[unit.toUpperCase()]
  if (number !== '' && factor !== undefined) return { bytes: Math.floor(Number(number) * factor), of: 'process' }
  throw new UsageError('ERR_MEMLAYER_OPTION', `MEMLAYER_LIMIT is '${text}'`, {
    op: 'limit',
    hint: "Set it to a part of the host's limit (80%), to bytes (2GiB, 512MiB), to auto or to off.",
  })
}
