// The four templates of @memlayer/create-backend, as subjects over the simulated kernels that their own tests use. Node
// strips the types, so a template runs as it stands.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnySubject } from './simulated.js'

const home = join(import.meta.dirname, '..')
const templates = join(home, '..', '..', 'packages', 'create-backend', 'template')
const names = ['posix', 'reserve-commit', 'break', 'custom'] as const

/** Loads the templates as subjects. Each is named after its folder: `template posix`. */
export async function templateSubjects(): Promise<AnySubject[]> {
  const found: AnySubject[] = []
  for (const name of names) found.push({ ...(await load(name)), name: `template ${name}` })
  return found
}

async function load(name: string): Promise<AnySubject> {
  const folder = mkdtempSync(join(tmpdir(), 'memlayer-template-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
    for (const part of ['dist', 'test']) mkdirSync(join(folder, part))
    for (const file of readdirSync(join(templates, name, 'src'))) {
      const text = readFileSync(join(templates, name, 'src', file), 'utf8')
      writeFileSync(join(folder, 'dist', file.replace(/ts$/, 'js')), stripTypeScriptTypes(text))
    }
    const subject = join(folder, 'test', 'subject.js')
    writeFileSync(subject, readFileSync(join(templates, name, 'test', 'subject.js')))
    return ((await import(pathToFileURL(subject).href)) as { subject: AnySubject }).subject
  } finally {
    rmSync(folder, { recursive: true })
  }
}
