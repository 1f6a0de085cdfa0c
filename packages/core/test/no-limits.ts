// What a Linux host tells that has no limit. The tests of limits change one member of it.
export const noLimits = {
  addressSpace: Infinity,
  addressSpaceUsed: 0,
  lockedMemory: 0,
  maxMappings: 65530,
  mappings: 0,
  overcommit: 0,
  commitLimit: 0,
  committed: 0,
  groupLimit: Infinity,
  groupUsed: 0,
}
