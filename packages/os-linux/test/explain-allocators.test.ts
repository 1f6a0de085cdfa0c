// explain and trimHost where another allocator serves malloc: jemalloc, mimalloc and tcmalloc by LD_PRELOAD, as
// images of production do. Each situation is a process of its own.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { otherNode, runChild } from '@memlayer/witness'
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest'

const MiB = 2 ** 20

const prelude = `
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
const memory = createMemory(createOS())
const keep = Array.from({ length: 4096 }, () => Buffer.alloc(32_768, 1))
`

interface Told {
  readonly allocator: string
  readonly resident: number
  readonly rollup: number
  readonly engine: number
  readonly unexplained: number
  readonly arrayBuffers: number
  readonly malloc: number | null
  readonly mallocSlack: number | null
}

const packages = { jemalloc: 'libjemalloc2', mimalloc: 'libmimalloc2.0', tcmalloc: 'libtcmalloc-minimal4' } as const
type Name = keyof typeof packages

/** The library's file, as the linker knows it. */
function libraryOf(name: Name): string | null {
  const soname = {
    jemalloc: 'libjemalloc.so.2',
    mimalloc: /^libmimalloc\.so\.\d/,
    tcmalloc: 'libtcmalloc_minimal.so.4',
  }
  for (const folder of ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']) {
    const wanted = soname[name]
    const found = filesIn(folder).find((file) => (typeof wanted === 'string' ? file === wanted : wanted.test(file)))
    if (found !== undefined) return `${folder}/${found}`
  }
  return null
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function preloadOf(name: Name, context: TestContext): string {
  const library = libraryOf(name)
  if (library === null) return context.skip(`needs ${name}: apt-get install ${packages[name]}`)
  return library
}

function inChild(code: string, preload: string, node: string = process.execPath): Told {
  const env = { ...process.env, LD_PRELOAD: preload }
  const { stdout, stderr } = runChild(prelude + code, {
    from: import.meta.dirname,
    nodeArgs: ['--expose-gc'],
    node,
    env,
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Told
}

const tell = `
const engine = process.memoryUsage().arrayBuffers
memory.explain()
const explanation = memory.explain()
const rollup = Number(/^Rss:\\s+(\\d+) kB/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))[1]) * 1024
console.log(JSON.stringify({ ...explanation, rollup, engine, kept: keep.length }))
`

describe.skipIf(process.platform !== 'linux').each(Object.keys(packages) as Name[])(
  'where %s serves malloc',
  (name) => {
    it.for(['node22', 'node24', 'node26'])(
      'explain names it, takes the word of the engine for its ArrayBuffers and leaves little unexplained, on %s',
      (alias, context) => {
        const preload = preloadOf(name, context)
        const told = inChild(
          tell,
          preload,
          alias === 'node24' ? process.execPath : otherNode(alias, import.meta.filename, context),
        )
        expect(told.allocator).toBe(name)
        expect(told.arrayBuffers).toBeGreaterThan(0.6 * told.engine)
        expect(told.engine).toBeGreaterThan(120 * MiB)
        expect(Math.abs(told.unexplained), JSON.stringify(told)).toBeLessThan(Math.max(4 * MiB, 0.05 * told.resident))
        expect(Math.abs(told.rollup - told.resident)).toBeLessThan(8 * MiB)
      },
    )

    it('trimHost asks it to give back what was freed', (context) => {
      const told = inChild(
        `
      const full = memory.explain().resident
      keep.length = 0
      for (gc(); process.memoryUsage().arrayBuffers > 2 ** 20; gc()) await sleep(20)
      const fell = memory.trimHost()
      console.log(JSON.stringify({ resident: full, rollup: fell, unexplained: memory.explain().resident }))`,
        preloadOf(name, context),
      )
      const { resident: full, rollup: fell, unexplained: after } = told
      expect(fell).toBeGreaterThanOrEqual(0)
      // The allocator gave it back, by itself or when asked: mimalloc does so at the free. The engine takes some anew.
      expect(Math.max(fell, full - after), JSON.stringify(told)).toBeGreaterThan(64 * MiB)
    })
  },
)

describe.skipIf(process.platform !== 'linux')('an allocator', () => {
  it('that is linked and does not serve malloc is not named', (context) => {
    // The library comes after the C library in the order of the search, because the program opens it late.
    const library = preloadOf('jemalloc', context)
    const open = `process.dlopen({ exports: {} }, ${JSON.stringify(library)}, 0x102)`
    const told = inChild(`try { ${open} } catch {}${tell}`, '')
    expect(told.allocator).toBe('glibc')
    expect(told.arrayBuffers).toBeGreaterThan(0.6 * told.engine)
  })

  it('that is not known has no figures, and ArrayBuffers are told all the same', (context) => {
    const source = `
      #define _GNU_SOURCE
      #include <stddef.h>
      #include <string.h>
      #include <sys/mman.h>
      // Far from the engine's pages, so that no mapping has both.
      static char *at, *end;
      static long maps;
      static void *take(size_t n, size_t a) {
        size_t size = (n + 31) & ~(size_t)15;
        char *p = at ? (char *)(((size_t)at + 16 + a - 1) & -a) : 0;
        if (!p || p + size > end) {
          size_t whole = size + a + (64 << 20);
          char *hint = (char *)(0x2b0000000000 + maps++ * (1l << 32));
          at = mmap(hint, whole, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
          end = at + whole;
          p = (char *)(((size_t)at + 16 + a - 1) & -a);
        }
        at = p + size;
        ((size_t *)p)[-1] = n;
        return p;
      }
      static int lock;
      static void *locked(size_t n, size_t a) {
        while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE));
        void *p = take(n, a < 16 ? 16 : a);
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
        return p;
      }
      void *malloc(size_t n) { return locked(n, 16); }
      void *calloc(size_t n, size_t m) { return locked(n * m, 16); }
      void free(void *p) { (void)p; }
      size_t malloc_usable_size(void *p) { return p ? ((size_t *)p)[-1] : 0; }
      void *realloc(void *p, size_t n) {
        void *q = locked(n, 16);
        size_t old = malloc_usable_size(p);
        return p ? memcpy(q, p, old < n ? old : n) : q;
      }
      void *aligned_alloc(size_t a, size_t n) { return locked(n, a); }
      void *memalign(size_t a, size_t n) { return locked(n, a); }
      int posix_memalign(void **p, size_t a, size_t n) { *p = locked(n, a); return 0; }
      void *valloc(size_t n) { return locked(n, 4096); }`
    const folder = mkdtempSync(join(tmpdir(), 'memlayer-allocator-'))
    const library = join(folder, 'allocator.so')
    onTestFinished(() => rmSync(folder, { recursive: true }))
    try {
      execFileSync('cc', ['-shared', '-fPIC', '-O1', '-fno-builtin', '-x', 'c', '-', '-o', library], {
        input: source,
        stdio: ['pipe', 'ignore', 'ignore'],
      })
    } catch {
      context.skip('needs a C compiler: apt-get install gcc libc6-dev')
    }
    const told = inChild(tell, library)
    expect([told.allocator, told.malloc, told.mallocSlack]).toEqual(['unknown', null, null])
    expect(told.arrayBuffers).toBeGreaterThan(0.6 * told.engine)
  })
})
