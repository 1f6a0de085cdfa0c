// Asks the kernel whether memory can be read, because a load from a faulting page would end the process. A write from
// such a page to a file answers EFAULT. self-test.ts calls it. Only Node is known to pass the address on unchanged.
import type { Address, OS } from '@memlayer/core'

/** Asks the kernel about single bytes. */
export interface Touch {
  /** Whether the kernel can read the byte at an address. */
  answers(v: Address): boolean
  /** Closes the file. */
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

/** Opens the file for the questions. Null: this runtime has no way to ask, or forbids it. */
export function openTouch(os: OS): Touch | null {
  const { process } = globalThis as Host
  const { versions = {} } = process ?? {}
  if (versions['node'] === undefined || versions['bun'] !== undefined || versions['deno'] !== undefined) return null
  const files = process?.getBuiltinModule?.('node:fs') as Files | undefined
  if (files === undefined || process === undefined) return null
  try {
    // /dev/urandom accepts writes from every user and reads the bytes. /dev/null does not read them.
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
