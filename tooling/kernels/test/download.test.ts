// Downloads that fail, with stubs in the place of apt-get: they are told apart from tests that fail, by their error.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { command, download, DownloadError } from '@memlayer/kernels/command'
import { fetchParts } from '@memlayer/kernels/image'
import { machines, type Machine } from '@memlayer/kernels/machines'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const [row] = machines as readonly [Machine]

describe.skipIf(process.platform === 'win32')('a download that fails (the stubs are shell scripts)', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memlayer-download-'))
    vi.stubEnv('PATH', [folder, process.env['PATH']].join(delimiter))
    vi.spyOn(console, 'log').mockReturnValue()
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })
  const place = (name: string, text: string): void => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  // A machine that the cache does not have.
  const machine: Machine = { ...row, name: 'without-network' }

  it.each([
    ['the lists of packages', '*update*'],
    ['the packages', '*--download-only*'],
  ])('is a DownloadError with the words of apt when apt cannot fetch %s', (_, pattern) => {
    place('apt-get', `case "$*" in ${pattern}) echo 'E: Could not resolve the mirror' >&2; exit 100 ;; esac`)
    expect(() => fetchParts(machine)).toThrow(DownloadError)
    expect(() => fetchParts(machine)).toThrow(/^cannot download: apt-get .*: code 100\nE: Could not resolve the mirror/)
  })

  it('is not said of a command that does not download', () => {
    place('dpkg-deb', 'echo broken >&2; exit 2')
    expect(() => command('dpkg-deb', ['--extract'])).toThrow(/^dpkg-deb --extract: code 2\nbroken/)
    expect(() => command('dpkg-deb', [])).not.toThrow(DownloadError)
    expect(download('echo', ['text'])).toBe('text\n')
  })
})
