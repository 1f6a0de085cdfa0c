// jest: the question in a test that is an ES module, and in one that babel-jest transforms.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.js'
import type { Place } from './places.js'
import { question, versionOf } from './question.js'

/** How jest runs the question. */
export interface Jest {
  /** The test file's name, and its text. */
  readonly file: string
  readonly text: string
  /** More of jest's configuration. */
  readonly config: object
  readonly conditions?: readonly string[]
}

/** A test that is an ES module, as it is. */
export const asModule: Jest = {
  file: 'ask.test.mjs',
  text: `test('asks', () => import('./ask.mjs'))`,
  config: { transform: {} },
}
/** A CommonJS test, which babel-jest transforms by default. */
export const byBabel: Jest = { file: 'ask.test.cjs', text: `test('asks', () => void require('./ask.mjs'))`, config: {} }

/** Asks in a test of jest. */
export function byJest({ file, text, config, conditions = [] }: Jest): Place['ask'] {
  return async ({ lab, node }) => {
    const app = await lab.install('jest', ['memlayer', versionOf('jest')])
    writeFileSync(join(app, 'ask.mjs'), question)
    writeFileSync(join(app, file), text)
    const whole = {
      ...config,
      testMatch: [`**/${file}`],
      verbose: false,
      testEnvironmentOptions: { customExportConditions: ['node', 'node-addons', ...conditions] },
    }
    writeFileSync(join(app, 'jest.config.mjs'), `export default ${JSON.stringify(whole)}`)
    const args = ['--experimental-vm-modules', join('node_modules', 'jest', 'bin', 'jest.js')]
    const { code, stdout, stderr } = await run(node, args, { cwd: app })
    if (code !== 0) throw new Error(`jest ended with ${code}:\n${stderr}`)
    // jest writes what a test prints to stderr.
    return stdout + stderr
  }
}
