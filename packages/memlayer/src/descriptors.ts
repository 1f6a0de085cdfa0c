// Whether the process can open a file. A file of /proc that can't be read may be there all the same. process-limits.ts
// asks.

interface Files {
  openSync(path: string, flags: string): number
  closeSync(fd: number): void
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown }
}

/** Whether the process, or the host, has no descriptor left. False where this runtime may not open files. */
export function lacksDescriptor(): boolean {
  const files = (globalThis as Host).process?.getBuiltinModule?.('node:fs') as Files | undefined
  try {
    files?.closeSync(files.openSync('/', 'r'))
    return false
  } catch (error) {
    return ['EMFILE', 'ENFILE'].includes(String((error as { code?: unknown }).code))
  }
}
