// The instruments: what is measured, under which name, with which attributes. Both exporters make them from this
// list. The names follow OpenTelemetry's for Go (`go.memory.used`).

/** An attribute of points, as a label of Prometheus. */
export type Attribute = 'category' | 'state' | 'part' | 'limit' | 'op' | 'error_type' | 'store' | 'size'

/** The attributes by their names in OpenTelemetry. */
export const attributeNames: Readonly<Record<Attribute, string>> = {
  category: 'memlayer.category',
  state: 'memlayer.state',
  part: 'memlayer.part',
  limit: 'memlayer.limit',
  op: 'memlayer.op',
  error_type: 'error.type',
  store: 'memlayer.store',
  size: 'memlayer.object.size',
}

/** One kind of measurement. */
export interface Instrument {
  /** `sum`: goes up and down, and parts may be added. `gauge`: parts may not be added. `counter`: only goes up. */
  readonly kind: 'sum' | 'gauge' | 'counter'
  /** The unit in UCUM: `By` for bytes, or the counted thing in braces. */
  readonly unit: string
  /** A sentence for people. */
  readonly description: string
  /** The attributes of each point. */
  readonly attributes: readonly Attribute[]
}

/** The name of an instrument. */
export type InstrumentName =
  | 'memlayer.memory.usage'
  | 'memlayer.memory.held'
  | 'memlayer.memory.peak'
  | 'memlayer.memory.category.peak'
  | 'memlayer.memory.retained'
  | 'memlayer.memory.released'
  | 'memlayer.memory.pinned'
  | 'memlayer.memory.leaked'
  | 'memlayer.memory.holds'
  | 'memlayer.memory.hold.age'
  | 'memlayer.memory.limit'
  | 'memlayer.memory.limit.used'
  | 'memlayer.memory.limit.part'
  | 'memlayer.memory.resident'
  | 'memlayer.memory.resident.age'
  | 'memlayer.scavenger.released'
  | 'memlayer.scavenger.time'
  | 'memlayer.operations'
  | 'memlayer.operations.refused'
  | 'memlayer.calls'
  | 'memlayer.failures'
  | 'memlayer.mappings'
  | 'memlayer.process.mappings'
  | 'memlayer.process.mappings.limit'
  | 'memlayer.process.limit'
  | 'memlayer.process.limit.used'
  | 'memlayer.system.commit'
  | 'memlayer.system.commit.limit'
  | 'memlayer.heap.ready'
  | 'memlayer.heap.used'
  | 'memlayer.heap.live'
  | 'memlayer.heap.waste'
  | 'memlayer.heap.retained'
  | 'memlayer.heap.metadata'
  | 'memlayer.heap.objects'
  | 'memlayer.heap.spans'
  | 'memlayer.heap.class.objects'
  | 'memlayer.heap.class.free'
  | 'memlayer.cache.entries'
  | 'memlayer.cache.used'
  | 'memlayer.cache.maximum'
  | 'memlayer.cache.waste'
  | 'memlayer.cache.hits'
  | 'memlayer.cache.misses'
  | 'memlayer.cache.sets'
  | 'memlayer.cache.refusals'
  | 'memlayer.cache.evictions'
  | 'memlayer.cache.expirations'

/** Every instrument by its name. */
export const instruments: Readonly<Record<InstrumentName, Instrument>> = {
  'memlayer.memory.usage': {
    kind: 'sum',
    unit: 'By',
    description: 'Address space that the layer owns, by category and state. The points sum to all of it.',
    attributes: ['category', 'state'],
  },
  'memlayer.memory.held': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes obtained for a category and not freed, whatever their state.',
    attributes: ['category'],
  },
  'memlayer.memory.peak': {
    kind: 'gauge',
    unit: 'By',
    description: 'The most bytes that were ever Ready at once.',
    attributes: [],
  },
  'memlayer.memory.category.peak': {
    kind: 'gauge',
    unit: 'By',
    description:
      'The most bytes of a category that were ever Ready at once. Peaks come at different times and do not add up.',
    attributes: ['category'],
  },
  'memlayer.memory.retained': {
    kind: 'sum',
    unit: 'By',
    description: 'Prepared memory that is idle and keeps its pages. Go: /memory/classes/heap/free.',
    attributes: [],
  },
  'memlayer.memory.released': {
    kind: 'sum',
    unit: 'By',
    description: 'Prepared memory whose pages the operating system has. Go: /memory/classes/heap/released.',
    attributes: [],
  },
  'memlayer.memory.pinned': {
    kind: 'sum',
    unit: 'By',
    description: 'Pages of views that were moved to another buffer: they stay Ready until region.reclaim.',
    attributes: [],
  },
  'memlayer.memory.leaked': {
    kind: 'sum',
    unit: 'By',
    description: 'Address space of regions that were collected and never freed, by category. No point: nothing leaked.',
    attributes: ['category'],
  },
  'memlayer.memory.holds': {
    kind: 'sum',
    unit: '{hold}',
    description: 'What keeps pages Ready besides their owner: holds, lends, transfers, shares and moved views.',
    attributes: [],
  },
  'memlayer.memory.hold.age': {
    kind: 'gauge',
    unit: 's',
    description: 'The age of the oldest hold. No point: there is none.',
    attributes: [],
  },
  'memlayer.memory.limit': {
    kind: 'gauge',
    unit: 'By',
    description: 'The limit that memory.limit sets. Go: go.memory.limit.',
    attributes: [],
  },
  'memlayer.memory.limit.used': {
    kind: 'gauge',
    unit: 'By',
    description: 'What counts towards memory.limit: the memories of all threads, or the process.',
    attributes: [],
  },
  'memlayer.memory.limit.part': {
    kind: 'sum',
    unit: 'By',
    description:
      'What is used of a memory.limit of the layer: ready, idle, and what other memories have. They sum to it.',
    attributes: ['part'],
  },
  'memlayer.memory.resident': {
    kind: 'sum',
    unit: 'By',
    description: 'Resident bytes of the ranges of the layer, as last looked at, by category.',
    attributes: ['category'],
  },
  'memlayer.memory.resident.age': {
    kind: 'gauge',
    unit: 's',
    description: 'The age of memlayer.memory.resident: the time since the look at it began.',
    attributes: [],
  },
  'memlayer.scavenger.released': {
    kind: 'counter',
    unit: 'By',
    description: 'Idle pages that the scavenger gave back.',
    attributes: [],
  },
  'memlayer.scavenger.time': {
    kind: 'counter',
    unit: 's',
    description: "Processor time of the scavenger's steps.",
    attributes: [],
  },
  'memlayer.operations': {
    kind: 'counter',
    unit: '{operation}',
    description: 'Operations that reached the kernel, refused ones included.',
    attributes: ['category'],
  },
  'memlayer.operations.refused': {
    kind: 'counter',
    unit: '{operation}',
    description: 'Operations that the operating system refused.',
    attributes: ['category'],
  },
  'memlayer.calls': {
    kind: 'counter',
    unit: '{operation}',
    description:
      'Operations that reached the kernel since they are counted, by operation. No point: they are not counted.',
    attributes: ['op'],
  },
  'memlayer.failures': {
    kind: 'counter',
    unit: '{operation}',
    description:
      'Of these operations, the refused and broken ones, by operation and error: ENOMEM, or the code of an error.',
    attributes: ['op', 'error_type'],
  },
  'memlayer.mappings': {
    kind: 'sum',
    unit: '{mapping}',
    description: 'Kernel mappings that the ranges of the layer cost, as last counted.',
    attributes: [],
  },
  'memlayer.process.mappings': {
    kind: 'sum',
    unit: '{mapping}',
    description: "Kernel mappings of the whole process, the engine's own included, as last counted.",
    attributes: [],
  },
  'memlayer.process.mappings.limit': {
    kind: 'gauge',
    unit: '{mapping}',
    description: 'Kernel mappings that the process may have. Linux: vm.max_map_count.',
    attributes: [],
  },
  'memlayer.process.limit': {
    kind: 'gauge',
    unit: 'By',
    description: 'The limits of the host on the memory of the process, by name.',
    attributes: ['limit'],
  },
  'memlayer.process.limit.used': {
    kind: 'gauge',
    unit: 'By',
    description: 'What is used of each of them.',
    attributes: ['limit'],
  },
  'memlayer.system.commit': {
    kind: 'gauge',
    unit: 'By',
    description: "Committed memory of all that shares the limit: the system, or the process's job. Windows.",
    attributes: [],
  },
  'memlayer.system.commit.limit': {
    kind: 'gauge',
    unit: 'By',
    description:
      "Memory that may be committed: memory and page files together, or the limit of the process's job. Windows.",
    attributes: [],
  },
  'memlayer.heap.ready': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes of a heap that are Ready.',
    attributes: ['store'],
  },
  'memlayer.heap.used': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes of pages that spans and large objects of a heap have.',
    attributes: ['store'],
  },
  'memlayer.heap.live': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes of objects in use, each with the size of its class.',
    attributes: ['store'],
  },
  'memlayer.heap.waste': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes in spans that no object in use has.',
    attributes: ['store'],
  },
  'memlayer.heap.retained': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes of pages without objects that may still have memory.',
    attributes: ['store'],
  },
  'memlayer.heap.metadata': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes that the heap itself needs, on the JavaScript side.',
    attributes: ['store'],
  },
  'memlayer.heap.objects': {
    kind: 'sum',
    unit: '{object}',
    description: 'Objects in use.',
    attributes: ['store'],
  },
  'memlayer.heap.spans': {
    kind: 'sum',
    unit: '{span}',
    description: 'Spans.',
    attributes: ['store'],
  },
  'memlayer.heap.class.objects': {
    kind: 'sum',
    unit: '{object}',
    description: 'Objects in use of one size.',
    attributes: ['store', 'size'],
  },
  'memlayer.heap.class.free': {
    kind: 'sum',
    unit: '{object}',
    description: 'Objects of one size that the spans have room for besides.',
    attributes: ['store', 'size'],
  },
  'memlayer.cache.entries': {
    kind: 'sum',
    unit: '{entry}',
    description: 'Entries of a cache.',
    attributes: ['store'],
  },
  'memlayer.cache.used': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes of all entries.',
    attributes: ['store'],
  },
  'memlayer.cache.maximum': {
    kind: 'gauge',
    unit: 'By',
    description: 'The most bytes that all entries may have.',
    attributes: ['store'],
  },
  'memlayer.cache.waste': {
    kind: 'sum',
    unit: 'By',
    description: 'Bytes of the pages of entries that no entry has.',
    attributes: ['store'],
  },
  'memlayer.cache.hits': {
    kind: 'counter',
    unit: '{read}',
    description: 'Reads that found a value.',
    attributes: ['store'],
  },
  'memlayer.cache.misses': {
    kind: 'counter',
    unit: '{read}',
    description: 'Reads that found none.',
    attributes: ['store'],
  },
  'memlayer.cache.sets': {
    kind: 'counter',
    unit: '{value}',
    description: 'Values that were stored.',
    attributes: ['store'],
  },
  'memlayer.cache.refusals': {
    kind: 'counter',
    unit: '{value}',
    description: 'Values that were not stored: too large, or the OS refused.',
    attributes: ['store'],
  },
  'memlayer.cache.evictions': {
    kind: 'counter',
    unit: '{entry}',
    description: 'Entries that made room for others.',
    attributes: ['store'],
  },
  'memlayer.cache.expirations': {
    kind: 'counter',
    unit: '{entry}',
    description: 'Entries that were met after their time, and went.',
    attributes: ['store'],
  },
}

/** Whether a figure is of the process or its system, and so the same for all memories of the process. */
export function isOfProcess(name: InstrumentName): boolean {
  return name.startsWith('memlayer.process.') || name.startsWith('memlayer.system.')
}

/** Whether a figure is of a heap or a cache, which has a name of its own and none of its memory's. */
export function isOfStore(name: InstrumentName): boolean {
  return name.startsWith('memlayer.heap.') || name.startsWith('memlayer.cache.')
}
