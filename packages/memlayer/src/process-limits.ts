// The limits that a POSIX kernel sets one process, as findings: mappings, address space, writable memory, locked
// memory. limits.ts asks.
import { formatBytes } from '@memlayer/core'
import { ok, warning, type Finding } from './finding.js'
import { lacksDescriptor } from './descriptors.js'
import { addressRoomBytesMin, bytes, limitText, roomBytesMin, type PosixLimits } from './limit-text.js'

/** The limits of the process. */
export function processLimits(limits: PosixLimits): Finding[] {
  return [
    ...procfs(limits),
    mappings(limits),
    addressSpace(limits),
    dataSize(limits),
    lockedMemory(limits),
    descriptors(limits),
  ]
}

const withoutFiles = 'explain() returns null, trimHost() returns 0, and residency() tells less.'
const raiseDescriptors = 'Raise the limit with ulimit -n, or LimitNOFILE= of systemd.'

/** These figures are in four files of /proc. If none of them is there, /proc itself is missing. */
function procfs({ addressSpace: limit, addressSpaceUsed, mappings: used, commitLimit }: PosixLimits): Finding[] {
  if (![limit, addressSpaceUsed, used, commitLimit].every(Number.isNaN)) return []
  if (lacksDescriptor()) {
    const says = `The process has no descriptor left (ulimit -n), so the layer can't read its limits. ${withoutFiles}`
    return [warning('descriptors-none', says, raiseDescriptors)]
  }
  const unknown = 'So the limits on this process are not known, nor is where its memory is.'
  const hint = 'Mount it with mount -t proc proc /proc, or let the sandbox show it.'
  return [warning('proc-missing', `/proc is missing or can't be read. ${unknown} ${withoutFiles}`, hint)]
}

function mappings({ mappings: used, maxMappings: limit }: PosixLimits): Finding {
  const has = Number.isNaN(used)
    ? 'The number of kernel mappings is not known.'
    : `The process has ${used} kernel mappings.`
  const says = `${has} The limit is ${Number.isNaN(limit) ? 'not known' : limit} (vm.max_map_count).`
  if (!(used > limit / 2)) return ok('mappings', says)
  const hint = 'Raise vm.max_map_count with sysctl, or keep pages of one state side by side.'
  return warning('mappings-near', says, hint)
}

function addressSpace({ addressSpace: limit, addressSpaceUsed: used }: PosixLimits): Finding {
  const limited = limitText('address space', limit, '-v')
  if (!Number.isFinite(limit)) return ok('address-space', limited)
  const says = `${limited} The process uses ${bytes(used)}.`
  if (!(limit - used <= addressRoomBytesMin)) return ok('address-space', says)
  const hint = 'Raise the limit with ulimit -v unlimited, or LimitAS=infinity of systemd.'
  return warning('address-space-near', says, `${hint} Every reservation counts in full.`)
}

/** The kernel lets a commit pass, because it maps over the reservation. Core counts it before the kernel does. */
function dataSize({ dataSize: limit = NaN, dataSizeUsed: used = NaN }: PosixLimits): Finding {
  const limited = limitText('private writable memory', limit, '-d')
  if (!Number.isFinite(limit)) return ok('data-size', limited)
  const says = `${limited} The process has mapped ${bytes(used)} of it.`
  if (!(limit - used <= roomBytesMin)) return ok('data-size', says)
  const hint = 'Raise the limit with ulimit -d unlimited, or LimitDATA=infinity of systemd.'
  const effect = 'The layer refuses a commit that would leave the engine too little.'
  return warning('data-size-near', says, `${hint} ${effect}`)
}

/** The layer locks no memory. The limit matters where a program does, for example by mlockall(MCL_FUTURE). */
function lockedMemory({ lockedMemory: limit, lockedMemoryUsed: used = NaN }: PosixLimits): Finding {
  const limited = limitText('locked memory', limit, '-l')
  if (!(used > 0)) {
    const locks = Number.isNaN(used)
      ? 'How much the process has locked is not known.'
      : 'The process has locked no memory.'
    return ok('locked-memory', `${limited} ${locks}`)
  }
  const kept = 'Unused pages of locked memory stay resident, because the kernel refuses MADV_DONTNEED for them.'
  const says = `${limited} The process has locked ${formatBytes(used)}. ${kept}`
  if (!(limit - used <= roomBytesMin)) return ok('locked-memory', says)
  return warning(
    'locked-memory-near',
    says,
    'Raise the limit with ulimit -l, or lock less. Under mlockall every mapping counts.',
  )
}

/** So many leave a program a few, beside those of an engine. */
const descriptorsMin = 64

/** The layer keeps three descriptors for all threads, and opens one for a moment when it reads its limits. */
function descriptors({ descriptors: limit = NaN }: PosixLimits): Finding {
  const says = Number.isNaN(limit)
    ? 'The limit on descriptors is not known (ulimit -n).'
    : `The process may have ${limit === Infinity ? 'any number of' : limit} descriptors (ulimit -n).`
  if (!(limit < descriptorsMin)) return ok('descriptors', says)
  return warning(
    'descriptors-few',
    `${says} Without a free one the layer can't read its limits. ${withoutFiles}`,
    raiseDescriptors,
  )
}
