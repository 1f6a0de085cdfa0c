// What the entry's functions return where os-js is right: the same in every engine.
import { expect } from 'vitest'

const MiB = 2 ** 20

/** A whole life. */
export const expectedLife = {
  name: 'js',
  zeroes: 4 * MiB,
  reserved: 8 * MiB,
  prepared: 5 * MiB,
  ready: 3 * MiB,
  sevens: 2 * MiB,
  held: 0,
}

/** Growth to 1 GiB in sixteen steps, and half of it freed and reserved again. */
export const expectedGigabyte = {
  grownMiB: 1024,
  // Each growth was told of, and detached the views from before it: all but the last one's.
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

/** Refusals at a maximum, at 4 GiB and at an address. */
export const expectedLimits = {
  maximum: expect.stringContaining("The memory's maximum is 4 MiB (64 pages)") as string,
  afterwards: 65536,
  fourGiB: expect.stringContaining('A 32-bit memory ends at 4 GiB') as string,
  address: expect.stringContaining('no address can be asked for') as string,
  refusals: [1, 2],
}

/** Addresses past 32 bits. */
export const expectedBeyond = { distanceGiB: 5, byte: 9 }
