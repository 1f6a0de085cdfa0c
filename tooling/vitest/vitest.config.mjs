// One test run for the whole workspace: a project a package, and the closing line that CI reads.
// Tests import packages by name, so they test what is built and published.
import { readdirSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folders = ['packages', 'tooling'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
)

export default defineConfig({
  root,
  test: {
    reporters: ['default', join(root, 'tooling/vitest/closing-line.mjs')],
    // A test is allowed to be slow on a busy machine; it must end all the same.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Memory tests look at the whole process: each file gets one of its own.
    pool: 'forks',
    projects: folders
      .filter((folder) => existsSync(join(root, folder, 'test')))
      .map((folder) => ({
        extends: true,
        root: join(root, folder),
        test: { name: folder.split('/')[1], include: ['test/**/*.test.ts'] },
      })),
  },
})
