// A computation that is as slow as the machine is at the time, for limits that must hold on any machine.

/** Milliseconds of processor time to write `n` ranges as text: the median of nine. */
export function yardstick(n: number): number {
  const ranges = Array.from({ length: n }, (_, i) => ({
    address: i * 4096,
    size: 4096,
    state: 'Ready',
    category: 'many',
  }))
  const times = Array.from({ length: 9 }, () => {
    const before = process.cpuUsage()
    JSON.stringify(ranges)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return times.toSorted((a, b) => a - b)[4] ?? NaN
}
