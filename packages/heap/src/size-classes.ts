// The size classes: which sizes small objects have, and how many pages a span of each class has. The rule is that of
// Go's runtime/mksizeclasses.go, which writes runtime/sizeclasses.go, with a finer limit on what a span leaves over.
//
// Sizes go by 8 bytes up to 128, then in eight steps per doubling up to 64 KiB. So a size class is at most an eighth
// larger than the class below it. A request of more than 64 bytes leaves at most 1/9 of its object unused.
// A span leaves at most 1/64 of itself over. Both together are 1 - 8/9 * 63/64, which is 12.5 %.

/** Bytes of a unit: a handle is an offset in units. */
export const unitBytes = 8
/** Bytes of a page of the heap. Go's runtime has the same (`pageSize`). It need not be the kernel's. */
export const pageBytes = 8192
/** Units of a page. */
export const pageUnits: number = pageBytes / unitBytes
/** `handle >>> pageShift` is the page of a handle. */
export const pageShift = 10
/** The largest small object. Larger ones have pages of their own. */
export const smallMax = 65536
/** The number of size classes, and the last one. Class 0 means that there is none. */
export const classesMax = 88

/** Objects that a span has at least. */
const objectsMin = 8
/** A span leaves at most this part of itself over. */
const tailPart = 64

/** Whether a size has a class. What is not a number is not a size. */
export function isSmall(bytes: number): boolean {
  return typeof bytes === 'number' && bytes > 0 && bytes <= smallMax && bytes === (bytes | 0)
}

/** The size class that serves a request of 1 to `smallMax` bytes. */
export function classOf(bytes: number): number {
  const last = bytes - 1
  const power = 31 - Math.clz32(last | 64)
  return ((power - 6) << 3) + (last >>> (power - 3)) + 1
}

/** The bytes of an object of a class. */
export function bytesOfClass(sizeClass: number): number {
  const step = sizeClass - 1
  const doubling = step >> 3
  return doubling === 0 ? 8 * sizeClass : (8 + (step & 7) + 1) << (doubling + 2)
}

/** The pages of a span of a class: as few as hold 8 objects and leave at most 1/64 over. */
export function pagesOfClass(sizeClass: number): number {
  const size = bytesOfClass(sizeClass)
  let pages = Math.ceil((objectsMin * size) / pageBytes)
  while ((pages * pageBytes) % size > (pages * pageBytes) / tailPart) pages += 1
  return pages
}

/**
 * The pages for one object of a class by itself, in a heap of `all` pages that has no room for a span. 0: they would
 * leave more than an eighth unused, and a span fits when others are freed.
 */
export function pagesForOne(sizeClass: number, all: number): number {
  const bytes = bytesOfClass(sizeClass)
  const pages = Math.ceil(bytes / pageBytes)
  const isWaste = pages * pageBytes - bytes > bytes / 8
  return isWaste && (classes.pages[sizeClass] as number) < all ? 0 : pages
}

/** The figures of each class, by class: what allocation and free read. */
export class SizeClasses {
  /** Units of an object. */
  readonly units: Int32Array = new Int32Array(classesMax + 1)
  /** `(offset * inverse) | 0` is the index of the object that begins at an offset of so many units in its span. */
  readonly inverse: Float64Array = new Float64Array(classesMax + 1)
  /** Objects of a span. */
  readonly objects: Int32Array = new Int32Array(classesMax + 1)
  /** Pages of a span. */
  readonly pages: Int32Array = new Int32Array(classesMax + 1)
  /** Words of a span's bitmap. */
  readonly words: Int32Array = new Int32Array(classesMax + 1)

  constructor() {
    for (let c = 1; c <= classesMax; c++) {
      const units = bytesOfClass(c) / unitBytes
      const pages = pagesOfClass(c)
      const objects = Math.floor((pages * pageUnits) / units)
      this.units[c] = units
      // A little more than 1 / units, because a product just below a whole number would lose that object.
      this.inverse[c] = (1 + 2 ** -40) / units
      this.objects[c] = objects
      this.pages[c] = pages
      this.words[c] = Math.ceil(objects / 32)
    }
  }
}

/** The figures of the classes. They are the same for all heaps. */
export const classes: SizeClasses = /* @__PURE__ */ new SizeClasses()

/** The class that serves a small request, of 0 bytes as well, at multiples of `align`; 0: there is none. */
export function classFor(bytes: number, align: number): number {
  for (let c = classOf(Math.max(bytes, 1)); c <= classesMax; c++) {
    if (((classes.units[c] as number) * unitBytes) % align === 0) return c
  }
  return 0
}
