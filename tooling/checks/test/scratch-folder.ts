// Makes small folders of invented files, for checks that read from disk.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkout } from '@memlayer/checks/workspace'
import { onTestFinished } from 'vitest'

/** Makes a folder with these files and the workspace's tools. It is removed when the test ends. */
export function scratchFolder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'memlayer-checks-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'), 'junction')
  writeFiles(root, files)
  return root
}

/** Writes files into a folder. */
export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
}
