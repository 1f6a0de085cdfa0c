// Keys as bytes: what is stored of a key, how it is hashed, and how it is read back. Strings keep every code unit: one
// byte for each if all are below 256, else two. The same bytes as a string and as an array are two keys.

/** The most bytes of a key. Its length has 24 bits in an entry's header. */
export const keyBytesMax: number = 2 ** 24 - 1

/** What a key was. Bits 3 and 4 of an entry's header word. */
export const kindBinary = 0
export const kindNarrow: number = 1 << 3
export const kindWide: number = 2 << 3
export const kindMask: number = 3 << 3
/** The length of a key begins at this bit of the header word. */
export const lengthShift = 8

/** The key of the call that is running. One object for a cache, so that reading a key makes no garbage. */
export class KeyBytes {
  /** Its bytes, from 0 to `length`. */
  bytes: Uint8Array
  length = 0
  hash = 0
  /** Its length and kind, as they stand in the header of an entry. */
  word = 0
  /** Counts the keys that were read. Another value means that another call has read one since. */
  serial = 0
  #scratch: Uint8Array = new Uint8Array(256)
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed | 0
    this.bytes = this.#scratch
  }

  /** Reads a key. False: it is not one. */
  read(key: unknown): boolean {
    if (typeof key === 'string') return this.#readString(key)
    return isBytes(key) && this.#readBytes(key)
  }

  #readString(key: string): boolean {
    const { length } = key
    if (length > this.#scratch.length && !this.#widen(length)) return false
    const bytes = this.#scratch
    let hash = this.#seed
    for (let i = 0; i < length; i++) {
      const unit = key.charCodeAt(i)
      if (unit > 255) return this.#readWide(key)
      bytes[i] = unit
      hash = Math.imul(hash ^ unit, 0x01000193)
    }
    this.bytes = bytes
    this.#enter(length, hash, kindNarrow)
    return true
  }

  #readWide(key: string): boolean {
    const length = key.length * 2
    if (length > this.#scratch.length && !this.#widen(length)) return false
    const bytes = (this.bytes = this.#scratch)
    let hash = this.#seed
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i)
      bytes[2 * i] = unit
      bytes[2 * i + 1] = unit >>> 8
      hash = Math.imul(hash ^ unit, 0x01000193)
    }
    this.#enter(length, hash, kindWide)
    return true
  }

  #readBytes(key: Uint8Array): boolean {
    const { length } = key
    if (length > keyBytesMax) return false
    let hash = this.#seed
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (key[i] as number), 0x01000193)
    this.bytes = key
    this.#enter(length, hash, kindBinary)
    return true
  }

  #enter(length: number, hash: number, kind: number): void {
    this.length = length
    this.word = (length << lengthShift) | kind
    this.hash = mixed(hash ^ kind)
    this.serial = (this.serial + 1) | 0
  }

  #widen(length: number): boolean {
    if (length > keyBytesMax) return false
    this.#scratch = new Uint8Array(Math.min(keyBytesMax, 2 * length))
    return true
  }
}

/** Spreads what differs in any bit over all of them. The last step of MurmurHash3. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** The key that was stored as `bytes`. */
export function keyOf(bytes: Uint8Array, kind: number): string | Uint8Array {
  if (kind === kindBinary) return bytes.slice()
  let key = ''
  const step = kind === kindWide ? 2 : 1
  for (let i = 0; i < bytes.length; i += step)
    key += String.fromCharCode((bytes[i] as number) | (step === 2 ? (bytes[i + 1] as number) << 8 : 0))
  return key
}

/** Whether a value is a Uint8Array, of another realm as well. */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || (ArrayBuffer.isView(value) && tagOf(value) === 'Uint8Array')
}

function tagOf(value: ArrayBufferView): unknown {
  return (value as unknown as { readonly [Symbol.toStringTag]: unknown })[Symbol.toStringTag]
}
