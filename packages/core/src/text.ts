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

/** A function that the program called. */
export type Caller = (...given: never[]) => unknown

interface StackMaker {
  captureStackTrace?(error: Error, from: Caller): void
  stackTraceLimit?: number | undefined
}

const engine = Error as StackMaker

// This package as it is published: one file.
const ownFile = /[\\/]core[\\/]dist[\\/]bundle\.js:\d+:\d+\)?$/

/**
 * The stack of the place where the program called `from`, as text below the line `what`. It begins in the program's
 * code: below `from`, and below the frames of this package's own file.
 */
export function placeOf(what: string, from: Caller): string {
  const error = new Error(what)
  engine.captureStackTrace?.(error, from)
  let lines = stackText(error).split('\n')
  // The program has put another function in the place of this one, or a method of the layer's own calls it.
  if (lines.length < 2) lines = stackText(new Error(what)).split('\n')
  const first = lines.findIndex((line, i) => i > 0 && !ownFile.test(line))
  return first < 0 ? lines.join('\n') : [lines[0], ...lines.slice(first)].join('\n')
}

/** A hold is made for every asynchronous call, and each line of a stack costs about a microsecond. */
const shortLines = 4

/** `placeOf`, in four lines, and in the same words for all. */
export function shortPlaceOf(from: Caller): string {
  const { stackTraceLimit } = engine
  if (engine.captureStackTrace === undefined || !setLimit(shortLines)) return placeOf('made here', from)
  // An Error would make a stack of its own before.
  const at = Object.create(null) as Error
  engine.captureStackTrace(at, from)
  const text = stackText(at)
  setLimit(stackTraceLimit)
  const first = text.indexOf('\n')
  // The program has put another function in the place of this one, or a method of the layer's own calls it.
  return first < 0 ? placeOf('made here', from) : `Error: made here${text.slice(first)}`
}

/** False: the program has frozen the limit. */
function setLimit(lines: number | undefined): boolean {
  try {
    engine.stackTraceLimit = lines
    return true
  } catch {
    return false
  }
}

/** The first place in a stack: `file.js:10:5`; empty: there is none. */
export function lineOf(stack: string): string {
  const line = stack.split('\n')[1]?.trim() ?? ''
  return /([^\s()\\/]+:\d+:\d+)\)?$/.exec(line)?.[1] ?? ''
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

/** What was thrown, in a message. */
export function thrownText(error: unknown): string {
  return error instanceof Error ? String(error) : show(error)
}

/** A range that has a name, in one line: `Region 'cache': 1 GiB at 0x7f0000000000`. */
export function named(what: string, { name, address, size }: NamedRange): string {
  return `${what} '${name}': ${formatBytes(size)} at ${formatAddress(address)}`
}

interface NamedRange {
  readonly name: string
  readonly address: number
  readonly size: number
}

/** Under this symbol an object has what console.log prints of it: on Node, Bun and Deno. */
const inspected: unique symbol = /* @__PURE__ */ Symbol.for('nodejs.util.inspect.custom')

/**
 * Has console.log print an object by its `toString()`, on Node, Bun and Deno. Pass a prototype for all objects of a
 * class.
 */
export function printByText(of: object): void {
  if (!Object.hasOwn(of, inspected))
    Object.defineProperty(of, inspected, {
      // A descriptor that inherited a getter could not have a value.
      __proto__: null,
      value(this: { toString(): string }) {
        return this.toString()
      },
      configurable: true,
    } as PropertyDescriptor)
}
