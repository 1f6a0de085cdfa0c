// Configures one test run for the whole workspace: a project for each package, and the closing line that CI reads.
// Tests import packages by name, so they test the built and published code.
import { globSync, readdirSync, readFileSync, existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folders = ['packages', 'tooling'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
)

// A long run has the files that have more tests then, or larger ones.
const isLong = process.env.MEMLAYER_LONG === '1'
const filesOf = (folder) => {
  const pattern = 'test/**/*.test.ts'
  if (!isLong) return [pattern]
  const cwd = join(root, folder)
  const asks = (file) => /\b(isLong|eachEngine)\b/.test(readFileSync(join(cwd, file), 'utf8'))
  return globSync(pattern, { cwd }).filter(asks)
}

export default defineConfig({
  root,
  test: {
    reporters: ['default', join(root, 'tooling/vitest/closing-line.mjs')],
    // A test may be slow on a busy machine, but it must end. Long ones take minutes on an idle one.
    testTimeout: isLong ? 900_000 : 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // Memory tests measure the whole process, so each file gets its own process.
    pool: 'forks',
    // A file for each processor, and one more: files with a browser, Wine or a server wait half of their time.
    maxWorkers: availableParallelism() + 1,
    projects: folders
      .filter((folder) => existsSync(join(root, folder, 'test')))
      .map((folder) => ({
        extends: true,
        root: join(root, folder),
        test: { name: folder.split('/')[1], include: filesOf(folder) },
      })),
  },
})
