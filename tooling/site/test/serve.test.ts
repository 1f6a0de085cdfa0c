// Tests the server of the built site.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@memlayer/site/serve'
import { afterAll, describe, expect, it } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'memlayer-site-'))
afterAll(() => rmSync(root, { recursive: true }))
mkdirSync(join(root, 'site/memlayer/guide'), { recursive: true })
writeFileSync(join(root, 'secret.html'), 'secret')
writeFileSync(join(root, 'site/memlayer/guide/index.html'), 'the guide')
writeFileSync(join(root, 'site/memlayer/guide/a.html'), 'page a')

describe('the server of the site', () => {
  it.each([
    ['/memlayer/guide/', 'the guide'],
    ['/memlayer/guide/a.html?x#y', 'page a'],
    ['/memlayer/guide/a', 'page a'],
  ])('answers %s on loopback', async (path, text) => {
    await using site = await serve(join(root, 'site'), 0)
    expect(site.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const response = await fetch(site.origin + path)
    expect([response.status, await response.text()]).toEqual([200, text])
  })

  it.each(['/memlayer/guide/b', '/..%2fsecret', '/%2e%2e/secret.html', '/%ff'])(
    'has no page for %s, and stays up',
    async (path) => {
      await using site = await serve(join(root, 'site'), 0)
      expect((await fetch(site.origin + path)).status).toBe(404)
      expect((await fetch(`${site.origin}/memlayer/guide/a`)).status).toBe(200)
    },
  )
})
