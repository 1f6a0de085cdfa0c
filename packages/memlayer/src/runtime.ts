// Checks whether this runtime can run memlayer. cli.ts calls it before it loads anything else, so it has no imports.

/** The minimum Node version, equal to engines.node in the manifest. */
const least = [22, 12] as const

/** A finding in doctor's form when the runtime is too old; null otherwise. `versions` is process.versions. */
export function tooOld(
  versions: Readonly<Record<string, string | undefined>>,
): { level: 'error'; code: 'runtime-old'; topic: 'runtime'; says: string; hint: string } | null {
  // Bun and Deno report a Node version too, but it does not count for them.
  if (versions['node'] === undefined || versions['bun'] !== undefined || versions['deno'] !== undefined) return null
  const [major = 0, minor = 0] = versions['node'].split('.').map(Number)
  if (major > least[0] || (major === least[0] && minor >= least[1])) return null
  const wanted = least.join('.')
  return {
    level: 'error',
    code: 'runtime-old',
    topic: 'runtime',
    says: `memlayer needs Node ${wanted} or later, but this is Node ${versions['node']}.`,
    hint: `Install a newer Node (https://nodejs.org), and check with 'node --version' that it runs.`,
  }
}
