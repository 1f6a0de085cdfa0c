// Whether this runtime can run memlayer at all. cli.ts asks before it loads anything else, so this imports nothing.

/** engines.node of the manifest. */
const least = [22, 12] as const

/** What stands in the way, as doctor's findings are; null: nothing. `versions` is process.versions. */
export function tooOld(
  versions: Readonly<Record<string, string | undefined>>,
): { level: 'error'; topic: 'runtime'; says: string; hint: string } | null {
  // Bun and Deno say that they are some Node, and are not judged by it.
  if (versions['node'] === undefined || versions['bun'] !== undefined || versions['deno'] !== undefined) return null
  const [major = 0, minor = 0] = versions['node'].split('.').map(Number)
  if (major > least[0] || (major === least[0] && minor >= least[1])) return null
  const wanted = least.join('.')
  return {
    level: 'error',
    topic: 'runtime',
    says: `memlayer needs Node ${wanted} or later, and this is Node ${versions['node']}.`,
    hint: `Install a newer one (https://nodejs.org), and see with 'node --version' that it is the one that runs.`,
  }
}
