// What may not be in any file, nor in the history: somebody's paths, a registry that others can't reach.
// The examples are put together here, so that this file holds none of them.
import { checkHistory, checkText, checkTexts } from '@memlayer/checks/plain-text'
import { readWorkspace } from '@memlayer/checks/workspace'
import { describe, expect, it } from 'vitest'
import { expectNone } from './expect-none.js'

const workspace = readWorkspace()
const slash = '/'
const scheme = 'https:/'
const registry = ['registry', 'npmjs', 'org'].join('.')

describe('what is committed', () => {
  it('names no path of a machine and no private registry', () => {
    expectNone(checkTexts(workspace))
  })

  it('has a history that names none either', () => {
    expectNone(checkHistory(workspace))
  })

  it.each([
    ['a home', `see ${slash}home/someone/notes.md`],
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
  ])('shows %s', (_, text) => {
    expect(checkText('a.md', `first\n${text}`)).toEqual([expect.stringMatching(/^a\.md:2: /)])
  })

  it.each([
    ['/proc/self/smaps, /sys/kernel/mm, /dev/null, /usr/bin/chromium, /etc/os-release'],
    [`${scheme}/github.com/memlayer/memlayer/work/home/x`],
    [`${scheme}/${registry}/x/-/x-1.0.0.tgz`],
    [`registry=${scheme}/${registry}/`],
    [`packages/work/root, .${slash}home/x, \${root}${slash}work/x`],
    ['linux, darwin and/or windows; the root/work of it'],
  ])('may say: %s', (text) => {
    expect(checkText('a.md', text)).toEqual([])
  })

  it('shows the names of the machine that it runs on', () => {
    expect(checkText('a.md', 'from /opt/here/x', ['/opt/here'])).toEqual([expect.stringContaining("'/opt/here'")])
  })
})
