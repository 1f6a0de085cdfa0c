// Stages whose kernel refuses calls for as long as a case says so: all of them, or some by their number.
import { claim } from '../claim.js'
import { notRun, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Random } from '../random.js'
import type { Stage } from '../stage.js'

/** A kernel that refuses while something runs. */
export interface Refusing {
  readonly wrap: (kernel: object) => object
  /** Runs something, and counts its kernel calls from 1. */
  readonly refuse: <T>(run: () => T) => T
  /** The kernel calls of what was run last. */
  readonly calls: number
}

/**
 * A kernel that refuses calls with `errno` while `refuse` runs: those that `isRefused` picks by their number, by
 * default every one. Null: there is no kernel to refuse.
 */
export function whileRefused(errno: number | null, isRefused: (call: number) => boolean = () => true): Refusing {
  let on = false
  let calls = 0
  return {
    wrap: (kernel) => refuseWhen(kernel, () => (on && isRefused((calls += 1)) ? errno : null)),
    refuse: (run) => {
      on = true
      calls = 0
      try {
        return run()
      } finally {
        on = false
      }
    },
    get calls() {
      return calls
    },
  }
}

/** A kernel that refuses one call in ten at random, with a number at random, while `refusing` says so. */
export function refusedAtRandom(
  numbers: Random,
  errnos: readonly number[],
): { readonly wrap: (kernel: object) => object; readonly refusing: (isOn: boolean) => void } {
  let on = false
  return {
    wrap: (kernel) => refuseWhen(kernel, () => (on && numbers.below(10) === 0 ? numbers.pick(errnos) : null)),
    refusing: (isOn) => void (on = isOn),
  }
}

/**
 * Refuses the first call, the second, and so on, until `refuse` returns false. Returns how many were refused. A backend
 * that makes more than `most` calls makes them without end.
 */
export function refuseEach(what: string, most: number, refuse: (k: number) => boolean): number {
  let k = 1
  for (; refuse(k); k++) claim(k < most, `${what} makes more than ${most} kernel calls`)
  return k - 1
}

/** Plays on stages whose kernel refuses while the scene says so, one for each error number. */
export function withRefusals(
  world: World,
  scene: (stage: Stage, refuse: <T>(run: () => T) => T, errno: number) => Verdict | undefined,
): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  let verdict: Verdict | undefined
  for (const errno of errnos) {
    const { wrap, refuse } = whileRefused(errno)
    verdict = world.play((stage) => scene(stage, refuse, errno), { wrap })
  }
  return verdict
}
