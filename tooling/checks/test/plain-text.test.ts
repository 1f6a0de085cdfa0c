// Tests that files and history contain no path of one machine, no registry that others can't reach, and no conflict.
// The code builds the examples from parts, so that this file does not contain them.
import { checkHistory, checkText, checkTexts } from '@memlayer/checks/plain-text'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

const workspace = readWorkspace()
const slash = '/'
const scheme = 'https:/'
const registry = ['registry', 'npmjs', 'org'].join('.')

describe('what is committed', () => {
  it('contains no path of a machine and no private registry', () => {
    expectNone(checkTexts(workspace))
  })

  it('has a history without such paths and registries', () => {
    expectNone(checkHistory(workspace))
  })

  it.each([
    ['a home', `see ${slash}home/someone/notes.md`],
    ['the mark of a conflict', `${'<'.repeat(7)} HEAD`],
    ['the end of a conflict', `${'>'.repeat(7)} 1a2b3c4`],
    ['a home on a Mac', `"${slash}Users/someone"`],
    ['the superuser’s home', `cd ${slash}root`],
    ['a build machine’s folder', `PATH=a:${slash}work/bin`],
    ['a file address', `file://${slash}work/x.js`],
    ['a checkout among temporary files', `(${slash}tmp/a/b)`],
    ['a home on Windows', ['C:', 'Users', 'someone'].join('\\')],
    ['a lockfile’s tarball', `    resolution: {integrity: x, tarball: ${scheme}/npm.example.com/x.tgz}`],
    ['a registry', `registry=${scheme}/npm.example.com/`],
    ['a registry in a command', `npm i --registry ${scheme}/npm.example.com`],
    ['a tarball’s address', `"x": "${scheme}/npm.example.com/x/-/x-1.0.0.tgz"`],
  ])('is reported for %s', (_, text) => {
    expect(checkText('a.md', `first\n${text}`)).toEqual([expect.stringMatching(/^a\.md:2: /)])
  })

  it.each([
    ['/proc/self/smaps, /sys/kernel/mm, /dev/null, /usr/bin/chromium, /etc/os-release'],
    [`${scheme}/github.com/memlayer/memlayer/work/home/x`],
    [`${scheme}/${registry}/x/-/x-1.0.0.tgz`],
    [`registry=${scheme}/${registry}/`],
    [`packages/work/root, .${slash}home/x, \${root}${slash}work/x`],
    ['linux, darwin and/or windows; the root/work of it'],
    ['a <<<<<<< b, and >>>>>>> in a line'],
  ])('may contain: %s', (text) => {
    expect(checkText('a.md', text)).toEqual([])
  })

  it('is reported for the names of this machine', () => {
    expect(checkText('a.md', 'from /opt/here/x', ['/opt/here'])).toEqual([expect.stringContaining("'/opt/here'")])
  })
})
