// From an error number to a sentence that a person can act on, in the words of each system's
// own tools.
import { EAGAIN, ENOMEM, type Flavor } from './defs.js'

const outOfMemory: Readonly<Record<Flavor, string>> = {
  freebsd: 'look at `limits` (vmemoryuse, swapuse), at sysctl vm.overcommit, and at `swapinfo`',
  dragonfly: 'look at `limits` (vmemoryuse), and at `swapinfo`',
  netbsd: 'look at `ulimit -v` and `ulimit -d`, and at `swapctl -l`',
  openbsd: "look at `ulimit -d`: anonymous memory counts as data, and login.conf's datasize bounds it",
  solaris: 'look at `ulimit -v`, and at `swap -s`',
  illumos: "look at `ulimit -v`, at `swap -s`, and at the zone's max-swap (prctl -n zone.max-swap)",
}

/** What most likely stood in the way, and what to do about it. */
export function refusalHint(flavor: Flavor, errno: number): string {
  if (errno === ENOMEM) return `Free memory or ask for less; ${outOfMemory[flavor]}.`
  if (errno === EAGAIN[flavor]) {
    return flavor === 'solaris' || flavor === 'illumos'
      ? 'There is no swap space to reserve for it: add some, or look at `swap -s` and the limits of the zone.'
      : 'The process may lock no more memory: look at `ulimit -l`.'
  }
  return 'The kernel does not take this range: it is not what was mapped.'
}
