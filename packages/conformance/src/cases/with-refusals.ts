// Stages whose kernel refuses every call for as long as a case says so.
import { notRun, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'

/** A kernel that refuses every call with `errno` while `refuse` runs. Null: there is no kernel to refuse. */
export function whileRefused(errno: number | null): {
  readonly wrap: (kernel: object) => object
  readonly refuse: <T>(run: () => T) => T
} {
  let on = false
  return {
    wrap: (kernel) => refuseWhen(kernel, () => (on ? errno : null)),
    refuse: (run) => {
      on = true
      try {
        return run()
      } finally {
        on = false
      }
    },
  }
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
