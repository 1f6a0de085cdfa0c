// The backends that the table of faults is run over: each of the repository, and each template of create-backend.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { simulatedSubjects, type AnySubject } from '../simulated.js'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const templates = join(root, 'packages', 'create-backend', 'template')

/** The subjects of a run without `--all`: one a backend, and the second way of those that have two. */
const few = ['linux', 'linux, MADV_FREE', 'darwin', 'freebsd', 'aix', 'windows', 'plan9', 'js', 'js, discarding']

/** The names of the templates. */
const kinds = ['posix', 'reserve-commit', 'break', 'custom']

/** The names of all subjects. */
export function subjectNames(isAll: boolean): string[] {
  const own = simulatedSubjects.map(({ name }) => name).filter((name) => isAll || few.includes(name))
  return [...own, 'resizable', ...kinds.map((kind) => `template ${kind}`)]
}

/** Loads a subject by its name. `folder` is for what has to be built. */
export async function subjectNamed(name: string, folder: string): Promise<AnySubject> {
  const own = simulatedSubjects.find((subject) => subject.name === name)
  if (own !== undefined) return own
  const file =
    name === 'resizable'
      ? join(root, 'packages', 'examples', 'dist', 'resizable', 'subject.js')
      : built(name.replace('template ', ''), folder)
  const { subject } = (await import(pathToFileURL(file).href)) as { subject: AnySubject }
  return { ...subject, name }
}

/** Builds a template as it stands, and returns the path of its subject. */
function built(kind: string, folder: string): string {
  const home = join(folder, kind)
  mkdirSync(join(home, 'dist'), { recursive: true })
  const src = join(templates, kind, 'src')
  for (const file of readdirSync(src)) {
    const text = stripTypeScriptTypes(readFileSync(join(src, file), 'utf8'))
    writeFileSync(join(home, 'dist', file.replace(/\.ts$/, '.js')), text)
  }
  cpSync(join(templates, kind, 'test'), join(home, 'test'), { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(import.meta.dirname, '..', '..', 'node_modules'), join(home, 'node_modules'))
  return join(home, 'test', 'subject.js')
}
