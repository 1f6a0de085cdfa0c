// Which backend this host uses, and why. resolve.ts makes the choice, and people read it at memory.choice.

/** A backend that was tried but could not be used. */
export interface Attempt {
  /** Its package, or the platform if no backend is known for it. */
  readonly backend: string
  /** Why it could not be used. */
  readonly reason: string
  /** What the user can do. */
  readonly hint: string
}

/** The chosen backend, and the reason. */
export interface Choice {
  /** Its package: `'@memlayer/os-linux'`. */
  readonly backend: string
  /**
   * `'pin'`: an export condition, for example `memlayer-os-linux`, named it. `'asked'`: the environment variable
   * MEMLAYER_OS named it. `'host'`: it is the backend for this host. `'fallback'`: this host's own can't be used.
   */
  readonly how: 'pin' | 'asked' | 'host' | 'fallback'
  /** A sentence: what named it, or why this host's own backend can't be used and what to do about that. */
  readonly reason: string
  /** Backends that were tried before it. Absent: it was the first. */
  readonly tried?: readonly Attempt[]
}

/** The backend that runs on every host. */
export const JS = '@memlayer/os-js'

/** The package name for pinning a third party's backend. The user who installs it knows that it fits the host. */
export const CUSTOM = '@memlayer/os-custom'

/** The backend whose memory the JavaScript engine owns. */
export const ENGINE = '@memlayer/os-engine'

/** The backends that MEMLAYER_OS can name. */
export const backends: readonly string[] = ['aix', 'bsd', 'darwin', 'engine', 'js', 'linux', 'plan9', 'windows']

/** The backends of the systems whose advice os-engine knows. */
const engineSystems: readonly string[] = ['darwin', 'linux', 'windows'].map((name) => `@memlayer/os-${name}`)

/** The package of a backend. */
export function packageOf(backend: string): string {
  return `@memlayer/os-${backend}`
}

/** The backend for a host, by its process.platform; `null`: no backend is known. */
export function backendFor(platform: string): string | null {
  switch (platform) {
    case 'aix':
      return packageOf('aix')
    // os-bsd tells these systems apart itself.
    case 'freebsd':
    case 'dragonfly':
    case 'netbsd':
    case 'openbsd':
    case 'sunos':
      return packageOf('bsd')
    case 'darwin':
      return packageOf('darwin')
    case 'linux':
    case 'android':
      return packageOf('linux')
    case 'win32':
      return packageOf('windows')
    default:
      return null
  }
}

/**
 * Whether a backend may run on a host. Each system's kernel has its own constants. AIX's MAP_ANONYMOUS is Linux's
 * MAP_FIXED, which unmaps existing memory.
 */
export function mayServe(backend: string, platform: string): boolean {
  // It knows the advice of three systems.
  if (backend === ENGINE) return engineSystems.includes(backendFor(platform) ?? '')
  // Plan 9's backend allocates from a segment of its own, so it runs on any Unix.
  return backend === JS || backend === CUSTOM || backend === packageOf('plan9') || backend === backendFor(platform)
}
