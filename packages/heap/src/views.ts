// The typed arrays of a heap: one for each type of element, over the same bytes.

/** The typed arrays over all bytes of a heap. */
export interface Views {
  readonly u8: Uint8Array<ArrayBuffer>
  readonly i8: Int8Array<ArrayBuffer>
  readonly u16: Uint16Array<ArrayBuffer>
  readonly i16: Int16Array<ArrayBuffer>
  readonly u32: Uint32Array<ArrayBuffer>
  readonly i32: Int32Array<ArrayBuffer>
  readonly u64: BigUint64Array<ArrayBuffer>
  readonly i64: BigInt64Array<ArrayBuffer>
  readonly f32: Float32Array<ArrayBuffer>
  readonly f64: Float64Array<ArrayBuffer>
}

/** The arrays of a heap that is not there, or that have to be made anew. */
export const noViews: Views = /* @__PURE__ */ viewsOver(new ArrayBuffer(0), 0, 0)

/** Arrays over `bytes` bytes of a buffer. */
export function viewsOver(buffer: ArrayBuffer, at: number, bytes: number): Views {
  return {
    u8: new Uint8Array(buffer, at, bytes),
    i8: new Int8Array(buffer, at, bytes),
    u16: new Uint16Array(buffer, at, bytes / 2),
    i16: new Int16Array(buffer, at, bytes / 2),
    u32: new Uint32Array(buffer, at, bytes / 4),
    i32: new Int32Array(buffer, at, bytes / 4),
    u64: new BigUint64Array(buffer, at, bytes / 8),
    i64: new BigInt64Array(buffer, at, bytes / 8),
    f32: new Float32Array(buffer, at, bytes / 4),
    f64: new Float64Array(buffer, at, bytes / 8),
  }
}
