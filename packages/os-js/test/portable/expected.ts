// The values that the entry's functions return when os-js is right. They are the same in every engine.
import { expect } from 'vitest'

const MiB = 2 ** 20

/** Of `life`. */
export const expectedLife = {
  name: 'js',
  zeroes: 4 * MiB,
  reserved: 8 * MiB,
  prepared: 5 * MiB,
  ready: 3 * MiB,
  sevens: 2 * MiB,
  held: 0,
}

/** Of `gigabyte`. */
export const expectedGigabyte = {
  grownMiB: 1024,
  // Each growth was reported and detached the earlier views, so all but the last are detached.
  told: 16,
  detached: 15,
  kept: 16,
  reused: true,
  zeroed: 8,
  untouched: 8,
  grewAgain: false,
  stillThere: true,
  readyMiB: 1024,
}

/** Of `limits`: refusals at a maximum, at 4 GiB and at an address. */
export const expectedLimits = {
  maximum: expect.stringContaining("The memory's maximum is 4 MiB (64 pages)") as string,
  afterwards: 65536,
  fourGiB: expect.stringContaining('A 32-bit memory ends at 4 GiB') as string,
  address: expect.stringContaining('A WebAssembly memory chooses the address itself') as string,
  refusals: [1, 2],
}

/** Of `beyond`. */
export const expectedBeyond = { distanceGiB: 5, byte: 9 }
