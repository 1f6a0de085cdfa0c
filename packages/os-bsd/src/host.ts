// Tells which of the six this host is. createOS asks only when it gets neither a kernel nor a flavor.
import { type, version } from 'node:os'
import type { Flavor } from './defs.js'

/** This host's flavor, by the names that `uname` gives it. Null when it is not one of the six. */
export function hostFlavor(): Flavor | null {
  return flavorOf(type(), version())
}

/** The flavor of a kernel, by `uname -s` and `uname -v`. */
export function flavorOf(sysname: string, release: string): Flavor | null {
  switch (sysname) {
    case 'FreeBSD':
      return 'freebsd'
    case 'DragonFly':
      return 'dragonfly'
    case 'NetBSD':
      return 'netbsd'
    case 'OpenBSD':
      return 'openbsd'
    case 'SunOS':
      // Oracle Solaris reports a number (11.4.0.15.0), or Generic_ and a patch. An illumos distribution reports its own
      // name.
      return /^(\d+\.|Generic)/.test(release) ? 'solaris' : 'illumos'
    default:
      return null
  }
}
