// The tests' types: vitest strips them without a look, so tsc reads every test here, by the root's tsconfig.json.
import { runTool } from './tool.js'

/** Sentences about every type error in the tests. Packages are built before: tests see their declarations. */
export function checkTestTypes(root: string, project: string = 'tsconfig.json'): string[] {
  const { code, stdout, stderr } = runTool('tsc', ['--project', project, '--noEmit', '--pretty', 'false'], root)
  const findings = `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '')
  return code === 0 ? [] : findings
}
