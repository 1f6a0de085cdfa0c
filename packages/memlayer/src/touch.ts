// Asks the kernel whether memory can be read, where a load that can't would end the process: a write from it to
// a file answers EFAULT. self-test.ts asks. Only Node is known to hand the address to the kernel as it stands.
import type { Address, OS } from '@memlayer/core'

/** Asks of one byte after another. */
export interface Touch {
  /** Whether the kernel can read the byte at an address. */
  answers(v: Address): boolean
  /** Ends it. */
  close(): void
}

interface Files {
  openSync(path: string, flags: string): number
  closeSync(fd: number): void
  unlinkSync(path: string): void
  writeSync(fd: number, bytes: Uint8Array): number
}

interface Host {
  readonly process?: {
    readonly versions?: Readonly<Record<string, string | undefined>>
    readonly platform?: string
    readonly pid?: number
    getBuiltinModule?(name: string): unknown
  }
}

/** Null: this runtime has no way to ask, or forbids it. */
export function openTouch(os: OS): Touch | null {
  const { process } = globalThis as Host
  const { versions = {} } = process ?? {}
  if (versions['node'] === undefined || versions['bun'] !== undefined || versions['deno'] !== undefined) return null
  const files = process?.getBuiltinModule?.('node:fs') as Files | undefined
  if (files === undefined || process === undefined) return null
  try {
    // The pool of random numbers takes what anybody writes, and reads it, as /dev/null does not.
    const isWindows = process.platform === 'win32'
    const path = isWindows ? temporaryFile(process) : '/dev/urandom'
    const fd = files.openSync(path, isWindows ? 'w' : 'r+')
    return {
      answers: (v) => canWrite(files, fd, new Uint8Array(os.view(v, 1))),
      close(): void {
        files.closeSync(fd)
        if (isWindows) files.unlinkSync(path)
      },
    }
  } catch {
    return null
  }
}

function canWrite(files: Files, fd: number, bytes: Uint8Array): boolean {
  try {
    return files.writeSync(fd, bytes) === 1
  } catch {
    return false
  }
}

function temporaryFile({ pid = 0, getBuiltinModule }: NonNullable<Host['process']>): string {
  const os = getBuiltinModule?.('node:os') as { tmpdir(): string } | undefined
  return `${os?.tmpdir() ?? '.'}/memlayer-doctor-${pid}`
}
