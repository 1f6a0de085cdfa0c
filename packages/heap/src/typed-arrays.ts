// What both kinds of heap have: typed arrays over all of their bytes.
import type { Views } from './views.js'

/** The typed arrays of a heap, over all of its bytes. An index is the handle times 8, over the bytes of an element. */
export abstract class TypedArrays {
  /** @internal The arrays, for the method `op`. @throws UsageError ERR_MEMLAYER_DISPOSED when the heap is not there. */
  abstract arraysFor(op: string): Views

  /** All bytes of the heap that are Ready. An object begins at `handle * 8`. */
  get u8(): Uint8Array<ArrayBuffer> {
    return this.arraysFor('u8').u8
  }

  /** All of it as signed bytes. An object begins at `handle * 8`. */
  get i8(): Int8Array<ArrayBuffer> {
    return this.arraysFor('i8').i8
  }

  /** All of it in elements of 2 bytes. An object begins at `handle * 4`. */
  get u16(): Uint16Array<ArrayBuffer> {
    return this.arraysFor('u16').u16
  }

  /** All of it in signed elements of 2 bytes. An object begins at `handle * 4`. */
  get i16(): Int16Array<ArrayBuffer> {
    return this.arraysFor('i16').i16
  }

  /** All of it in elements of 4 bytes. An object begins at `handle * 2`. */
  get u32(): Uint32Array<ArrayBuffer> {
    return this.arraysFor('u32').u32
  }

  /** All of it in signed elements of 4 bytes, for `Atomics` as well. An object begins at `handle * 2`. */
  get i32(): Int32Array<ArrayBuffer> {
    return this.arraysFor('i32').i32
  }

  /** All of it in elements of 8 bytes. An object begins at `handle`. */
  get u64(): BigUint64Array<ArrayBuffer> {
    return this.arraysFor('u64').u64
  }

  /** All of it in signed elements of 8 bytes. An object begins at `handle`. */
  get i64(): BigInt64Array<ArrayBuffer> {
    return this.arraysFor('i64').i64
  }

  /** All of it in floats of 4 bytes. An object begins at `handle * 2`. */
  get f32(): Float32Array<ArrayBuffer> {
    return this.arraysFor('f32').f32
  }

  /** All of it in floats of 8 bytes. An object begins at `handle`. */
  get f64(): Float64Array<ArrayBuffer> {
    return this.arraysFor('f64').f64
  }
}
