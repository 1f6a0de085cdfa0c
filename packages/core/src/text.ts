// How messages write values: addresses, sizes, and arguments that were wrong.

/** An address as people write it: `0x7f0000001000`. */
export function formatAddress(v: number): string {
  return `0x${v.toString(16)}`
}

/** The stack of an error as text, whatever a program's Error.prepareStackTrace makes of it. */
export function stackText(error: Error): string {
  try {
    const stack: unknown = error.stack
    if (typeof stack === 'string') return stack
    // V8's call sites.
    if (Array.isArray(stack)) return [String(error), ...stack.map((site) => `    at ${String(site)}`)].join('\n')
  } catch {
    // It threw.
  }
  return ''
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes as people say them: `64 KiB`, `1.5 GiB`, `100 bytes`, `1 byte`. */
export function formatBytes(n: number): string {
  if (Math.abs(n) === 1) return `${n} byte`
  let value = n
  let unit = 0
  // 1023.95 would be shown as 1024.0.
  while (Math.abs(value) >= (unit === 0 ? 1024 : 1023.95) && Number.isFinite(value) && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number.isInteger(value) || unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** A wrong argument for a message: short, and without running code of the caller's. */
export function show(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  // A bigint may have a million digits. An address has at most 20.
  if (typeof value === 'bigint') return BigInt.asIntN(65, value) === value ? `the bigint ${value}n` : 'a bigint'
  if (value === null || value === undefined || typeof value === 'boolean') return String(value)
  return typeof value === 'function' ? nameOfFunction(value) : typeof value === 'symbol' ? 'a symbol' : 'an object'
}

/** `the class Map`, `the function sum`; `a function` where its name is not plain data. */
function nameOfFunction(value: object): string {
  // A proxy could run code here, and so could a getter: neither is asked for the name.
  const name = nameIn(value)
  if (name === '') return 'a function'
  const first = name.charAt(0)
  return first >= 'A' && first <= 'Z' ? `the class ${name}` : `the function ${name}`
}

function nameIn(value: object): string {
  try {
    const name: unknown = Object.getOwnPropertyDescriptor(value, 'name')?.value
    return typeof name === 'string' ? name.slice(0, 40) : ''
  } catch {
    return ''
  }
}
