// Turns an error number into a sentence that a person can act on, in the words of each system's own tools.
import { EAGAIN, ENOMEM, type Flavor } from './defs.js'

const outOfMemory: Readonly<Record<Flavor, string>> = {
  freebsd: 'Check `limits` (vmemoryuse, swapuse), sysctl vm.overcommit and `swapinfo`.',
  dragonfly: 'Check `limits` (vmemoryuse) and `swapinfo`.',
  netbsd: 'Check `ulimit -v`, `ulimit -d` and `swapctl -l`.',
  openbsd: "Check `ulimit -d`. Anonymous memory counts as data, and login.conf's datasize bounds it.",
  solaris: 'Check `ulimit -v` and `swap -s`.',
  illumos: "Check `ulimit -v`, `swap -s` and the zone's max-swap (prctl -n zone.max-swap).",
}

const wrongRange: string =
  'Check that no other code unmaps this range. ' +
  'The kernel refuses, because the range is not what this layer mapped.'

/** What to do about a refusal, and its most likely cause. `isNew`: the call asked for a new range. */
export function refusalHint(flavor: Flavor, errno: number, isNew: boolean): string {
  if (errno === ENOMEM) return `Free memory or ask for less. ${outOfMemory[flavor]}`
  if (errno === EAGAIN[flavor]) {
    return flavor === 'solaris' || flavor === 'illumos'
      ? 'Add swap space, or check `swap -s` and the limits of the zone. The host has no swap space left to reserve.'
      : 'Raise the limit with `ulimit -l`. The process may lock no more memory.'
  }
  if (isNew) return 'Look up the error number. The kernel gives no other reason.'
  return wrongRange
}
