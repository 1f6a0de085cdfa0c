// Stages whose kernel refuses every call for as long as a case says so.
import { notRun, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'

/** Plays on stages whose kernel refuses while the scene says so, one for each error number. */
export function withRefusals(
  world: World,
  scene: (stage: Stage, refuse: <T>(run: () => T) => T, errno: number) => Verdict | undefined,
): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  let verdict: Verdict | undefined
  for (const errno of errnos) {
    let on = false
    const wrap = (kernel: object): object => refuseWhen(kernel, () => (on ? errno : null))
    const refuse = <T>(run: () => T): T => {
      on = true
      try {
        return run()
      } finally {
        on = false
      }
    }
    verdict = world.play((stage) => scene(stage, refuse, errno), { wrap })
  }
  return verdict
}
