// Checks the types of every test with tsc and the root's tsconfig.json, because vitest strips types without checks.
import { runTool } from './tool.js'

/** Returns a line for every type error in the tests. Build the packages before: tests use their declarations. */
export function checkTestTypes(root: string, project: string = 'tsconfig.json'): string[] {
  const { code, stdout, stderr } = runTool('tsc', ['--project', project, '--noEmit', '--pretty', 'false'], root)
  const findings = `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '')
  return code === 0 ? [] : findings
}
