// Codecs: how values that are not bytes become bytes.
import { wrongOption } from './misuse.js'

/** Turns values into bytes and back. */
export interface Codec<V> {
  /** Returns the bytes of a value. The cache copies them. */
  encode(value: V): Uint8Array
  /** Returns the value of these bytes. */
  decode(bytes: Uint8Array): V
  /**
   * True: `decode` keeps nothing of `bytes`, so it is handed the bytes of the entry, without a copy. Default: false,
   * and `bytes` is a copy.
   */
  readonly inPlace?: boolean | undefined
}

/** What the host has for text and for serialization. */
interface Host {
  readonly TextEncoder: new () => { encode(text: string): Uint8Array }
  readonly TextDecoder: new () => { decode(bytes: Uint8Array): string }
  readonly process?: { getBuiltinModule?(id: string): V8 | undefined }
}

interface V8 {
  serialize(value: unknown): Uint8Array
  deserialize(bytes: Uint8Array): unknown
}

/**
 * The codec that an option names; null: values are bytes.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when it is not a codec, or when this host has no `node:v8`.
 */
export function codecOf(codec: unknown): Codec<unknown> | null {
  if (codec === undefined) return null
  if (codec === 'json') return json()
  if (codec === 'v8') return v8()
  if (!isCodec(codec)) wrongOption('codec', codec, "Pass 'json', 'v8', or an object: { encode(value), decode(bytes) }.")
  return codec
}

function isCodec(codec: unknown): codec is Codec<unknown> {
  if (typeof codec !== 'object' || codec === null) return false
  const { encode, decode } = codec as { encode?: unknown; decode?: unknown }
  return typeof encode === 'function' && typeof decode === 'function'
}

function json(): Codec<unknown> {
  const host = globalThis as unknown as Host
  const [encoder, decoder] = [new host.TextEncoder(), new host.TextDecoder()]
  return {
    // What JSON has no text for, like undefined, becomes nothing: the cache refuses it.
    encode: (value) => {
      const text = JSON.stringify(value) as string | undefined
      return text === undefined ? (text as unknown as Uint8Array) : encoder.encode(text)
    },
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as unknown,
    inPlace: true,
  }
}

function v8(): Codec<unknown> {
  const found = (globalThis as unknown as Host).process?.getBuiltinModule?.('node:v8')
  if (found === undefined)
    wrongOption('codec', 'v8', "Pass 'json' or a codec of your own, because node:v8 is not here.")
  // Typed arrays in the value that deserialize returns are views of its argument, so it needs a copy.
  return { encode: (value) => found.serialize(value), decode: (bytes) => found.deserialize(bytes) }
}
