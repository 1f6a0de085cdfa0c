// The rule of the size classes, by which their waste is bounded.
import { describe, expect, it } from 'vitest'
import {
  bytesOfClass,
  classesMax,
  classOf,
  pageBytes,
  pageUnits,
  pagesOfClass,
  SizeClasses,
  smallMax,
  unitBytes,
} from '../src/size-classes.js'

describe('size classes', () => {
  it('serve every size with the smallest class that holds it', () => {
    for (let bytes = 1; bytes <= smallMax; bytes++) {
      const c = classOf(bytes)
      expect(bytesOfClass(c)).toBeGreaterThanOrEqual(bytes)
      if (c > 1 && bytesOfClass(c - 1) >= bytes) throw new Error(`${bytes} bytes fit into class ${c - 1}`)
    }
    expect(classOf(smallMax)).toBe(classesMax)
    expect(bytesOfClass(classesMax)).toBe(smallMax)
  })

  it('waste at most 12.5 % of a span, unused ends of objects and what the span leaves over together', () => {
    for (let c = 1; c <= classesMax; c++) {
      const least = c === 1 ? 1 : bytesOfClass(c - 1) + 1
      if (least <= 64) continue
      const bytes = pagesOfClass(c) * pageBytes
      const objects = Math.floor(bytes / bytesOfClass(c))
      expect(1 - (objects * least) / bytes, `class ${c}`).toBeLessThanOrEqual(0.125)
    }
  })

  it('give every span 8 objects at least, and 1024 at most', () => {
    const { objects, pages, units } = new SizeClasses()
    for (let c = 1; c <= classesMax; c++) {
      expect(objects[c]).toBeGreaterThanOrEqual(8)
      expect(objects[c]).toBeLessThanOrEqual(1024)
      expect((objects[c] as number) * (units[c] as number)).toBeLessThanOrEqual((pages[c] as number) * pageUnits)
      // The place of a page in its span is 8 bits of a tag.
      expect(pages[c]).toBeLessThan(256)
    }
  })

  it('find the index of each object by a product, and of no place between two', () => {
    const { inverse, units, pages } = new SizeClasses()
    for (let c = 1; c <= classesMax; c++) {
      const size = bytesOfClass(c) / unitBytes
      for (let offset = 0; offset < (pages[c] as number) * pageUnits; offset++) {
        const index = (offset * (inverse[c] as number)) | 0
        if (index !== Math.floor(offset / size)) throw new Error(`class ${c}, offset ${offset}: index ${index}`)
      }
      expect(units[c]).toBe(size)
    }
  })
})
