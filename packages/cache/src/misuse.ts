// Errors of a wrong call. Nothing has happened then. What a value is, is looked at here and not on the way there.
import { UsageError } from '@memlayer/core'

/** How a message writes an argument. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value)
}

/** @throws UsageError, because the cache was disposed. */
export function disposed(op: string, name: string): never {
  throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the cache '${name}' was disposed`, {
    op,
    region: name,
    hint: 'Create a cache, or dispose of it after its last use.',
  })
}

/** @throws UsageError, because an option of `createCache` is wrong. */
export function wrongOption(option: string, value: unknown, hint: string): never {
  const op = 'createCache'
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the option ${option} is ${show(value)}`, { op, hint })
}

/** @throws UsageError, because `maximum` is not the size of a cache. */
export function wrongMaximum(maximum: unknown, least: number, most: number): never {
  throw new UsageError('ERR_MEMLAYER_SIZE', `createCache: the maximum is ${show(maximum)}`, {
    op: 'createCache',
    hint: `Pass a whole number of bytes, from ${least} to ${most}.`,
  })
}

/** @throws UsageError, because `key` is not a key. */
export function wrongKey(op: string, name: string, key: unknown, most: number): never {
  const isLong = typeof key === 'string' || key instanceof Uint8Array
  const code = isLong ? 'ERR_MEMLAYER_SIZE' : 'ERR_MEMLAYER_OPTION'
  const what = isLong ? `the key has ${key.length} elements` : `the key is ${show(key)}`
  const hint = isLong ? `Pass a key of at most ${most} bytes, or its digest.` : 'Pass a string or a Uint8Array.'
  throw new UsageError(code, `${op} of the cache '${name}': ${what}`, { op, region: name, hint })
}

/** @throws UsageError, because `value` is not bytes. `isCoded`: a codec returned it. */
export function wrongValue(name: string, value: unknown, isCoded: boolean): never {
  const what = isCoded ? `the codec made ${show(value)} of the value` : `the value is ${show(value)}`
  const hint = isCoded
    ? 'Return a Uint8Array from encode, or pass a value that the codec can encode.'
    : "Pass a Uint8Array, or create the cache with a codec: { codec: 'json' }."
  throw new UsageError('ERR_MEMLAYER_OPTION', `set of the cache '${name}': ${what}`, { op: 'set', region: name, hint })
}

/** @throws UsageError, because `ttl` is not a time. */
export function wrongTtl(name: string, ttl: unknown): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `set of the cache '${name}': the ttl is ${show(ttl)}`, {
    op: 'set',
    region: name,
    hint: 'Pass milliseconds above 0, or 0 for an entry that does not expire.',
  })
}

/** @throws UsageError, because `use` is not a function. */
export function wrongUse(name: string, use: unknown): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `read of the cache '${name}': the callback is ${show(use)}`, {
    op: 'read',
    region: name,
    hint: 'Pass a function: read(key, (bytes, start, end) => …).',
  })
}

/** @throws UsageError, because a callback of `read` is running. */
export function whileRead(op: string, name: string): never {
  throw new UsageError('ERR_MEMLAYER_STATE', `${op} of the cache '${name}': a callback of read is running`, {
    op,
    region: name,
    hint: 'Return what you need from the callback, and change the cache after it.',
  })
}
