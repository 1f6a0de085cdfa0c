// errno is right only when nothing stands between the failing call and the load. These tests read it 100,000 times
// while other code allocates and fails, on each engine.
import { posixKernel } from '@memlayer/ffi'
import { otherNode, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'

/** The body of a child process. It makes the calls and prints the wrong answers by number. */
const churn = `
  import { statSync } from 'node:fs'
  import { posixKernel } from '@memlayer/ffi'
  const kernel = posixKernel()
  const { pageSize } = kernel
  const v = kernel.mmap(0, 4 * pageSize, 3, 0x22, -1, 0)
  const [EBADF, ENOMEM, EINVAL] = [9, 12, 22]
  const failing = [
    [() => kernel.mmap(0, 0, 3, 0x22, -1, 0), EINVAL],
    [() => kernel.mmap(0, pageSize, 3, 0x02, 1_000_000, 0), EBADF],
    [() => kernel.mmap(0, 2 ** 47, 0, 0x22, -1, 0), ENOMEM],
    [() => kernel.munmap(v + 1, pageSize), EINVAL],
    [() => kernel.mprotect(pageSize, pageSize, 3), ENOMEM],
    [() => kernel.madvise(v, pageSize, 4242), EINVAL],
  ]
  const wrong = {}
  let kept = []
  for (let i = 0; i < 100_000; i++) {
    if (i % 3 === 0) kept.push({ i, text: String(i), list: [i, i, i] })
    if (i % 500 === 0) kept.push(new ArrayBuffer(2 ** 22))
    if (i % 10_000 === 0) kept = []
    if (i % 7 === 0) {
      try { statSync('/nonexistent/' + i) } catch {}
    }
    const [call, errno] = failing[i % failing.length]
    const answer = call()
    if (answer !== -errno) wrong[answer] = (wrong[answer] ?? 0) + 1
  }
  console.log(JSON.stringify(wrong))
`

describe.skipIf(!onLinux)('errno (the failing calls are Linux’s)', () => {
  it('is right 100,000 times while other code allocates and its file calls fail', () => {
    const child = runChild(churn, { from: import.meta.dirname })
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({})
  })

  it('is right 100,000 times with node:ffi on Node 26, too', (context) => {
    const node = otherNode('node26', import.meta.url, context)
    const child = runChild(churn, { from: import.meta.dirname, node, nodeArgs: ['--no-addons', '--no-warnings'] })
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({})
  })

  it('belongs to its thread, so a failing worker leaves the main thread’s errno alone', () => {
    const child = runChild(
      `
      import { Worker, isMainThread, workerData } from 'node:worker_threads'
      import { posixKernel } from '@memlayer/ffi'
      const code = \`
        import { posixKernel } from '@memlayer/ffi'
        import { workerData } from 'node:worker_threads'
        const flags = new Int32Array(workerData)
        const kernel = posixKernel()
        let wrong = 0
        Atomics.store(flags, 0, 1)
        Atomics.notify(flags, 0)
        while (Atomics.load(flags, 1) === 0) if (kernel.madvise(0, kernel.pageSize, 4242) !== -22) wrong += 1
        Atomics.store(flags, 2, wrong)
      \`
      const shared = new SharedArrayBuffer(12)
      const flags = new Int32Array(shared)
      const resolved = code.replace("'@memlayer/ffi'", JSON.stringify(import.meta.resolve('@memlayer/ffi')))
      const url = new URL('data:text/javascript,' + encodeURIComponent(resolved))
      const worker = new Worker(url, { workerData: shared })
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      const kernel = posixKernel()
      await new Promise((resolve) => setTimeout(resolve, 0))
      while (Atomics.load(flags, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      let wrong = 0
      for (let i = 0; i < 50_000; i++) if (kernel.mprotect(kernel.pageSize, kernel.pageSize, 3) !== -12) wrong += 1
      Atomics.store(flags, 1, 1)
      await ended
      console.log(JSON.stringify({ main: wrong, worker: flags[2] }))
      `,
      { from: import.meta.dirname },
    )
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({ main: 0, worker: 0 })
  })

  it('comes back as a negative number, and a success as the value', () => {
    const kernel = posixKernel()
    const v = kernel.mmap(0, kernel.pageSize, 0, 0x22, -1, 0)
    expect(v).toBeGreaterThan(0)
    expect(kernel.mprotect(v, kernel.pageSize, 3)).toBe(0)
    expect(kernel.madvise(v, kernel.pageSize, 4)).toBe(0)
    expect(kernel.munmap(v, kernel.pageSize)).toBe(0)
    expect(kernel.munmap(v + 1, kernel.pageSize)).toBe(-22)
  })
})
