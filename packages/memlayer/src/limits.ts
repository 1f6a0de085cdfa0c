// The limits on a process's memory as findings. A limit that is close gives a warning. A limit that is not
// known gives none. doctor.ts asks.
import { ok, warning, type Finding } from './finding.js'
import { group, hugePages, overcommit } from './host-limits.js'
import { addressRoomBytesMin, bytes, roomBytesMin, type Limits, type WindowsLimits } from './limit-text.js'
import { processLimits } from './process-limits.js'

/** The limits of this host; null: its backend does not report them. */
export function limitFindings(limits: Limits | null): Finding[] {
  if (limits === null) return [ok('limits-unknown', "The backend does not report the limits on this process's memory.")]
  if ('commitAvailable' in limits) return [commit(limits), windowsAddressSpace(limits)]
  return [hugePages(limits), ...processLimits(limits), overcommit(limits), ...group(limits)]
}

function commit({ commitLimit, commitAvailable }: WindowsLimits): Finding {
  const limit = `The commit limit is ${bytes(commitLimit)} (memory and page files, or the job's limit).`
  const says = `${limit} ${bytes(commitAvailable)} are left.`
  if (!(commitAvailable < roomBytesMin)) return ok('commit-limit', says)
  return warning(
    'commit-limit-near',
    says,
    'Enlarge the page file, or use less memory. sysUsed commits before the first touch.',
  )
}

function windowsAddressSpace({ addressSpace: limit, addressSpaceAvailable: available }: WindowsLimits): Finding {
  const says = `The address space has ${bytes(limit)}. ${bytes(available)} are neither reserved nor committed.`
  if (!(available < addressRoomBytesMin)) return ok('address-space', says)
  return warning('address-space-near', says, 'Reserve less, or free ranges that are not in use.')
}
