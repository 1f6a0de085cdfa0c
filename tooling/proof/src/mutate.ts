// Makes a mutant: a copy of a backend's dist in its own folder, with one edit. Imports the mutant from there. This
// runs in Node without vitest, where the copy loads the same core as the suite.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { conformance, runCases, type Report } from '@memlayer/conformance'
import type { OS } from '@memlayer/core'
import type { Mutant } from './mutant.js'
import { realSubjects } from './real.js'
import { simulatedSubjects, type AnySubject } from './simulated.js'

type CreateOS = (options: object) => OS

const bsd = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos']

/** Runs the case that is named for a mutant over it. */
export async function reportOn(mutant: Mutant, seed: number): Promise<Report> {
  const subject = subjectNamed(mutant.subject)
  if (subject === undefined) throw new Error(`no subject has the name '${mutant.subject}': correct the mutant`)
  const folder = mkdtempSync(join(tmpdir(), 'memlayer-mutant-'))
  try {
    const { createOS } = await edited(mutant, folder)
    const cases = conformance(overMutant(subject, createOS), { seed })
    return runCases(cases.filter(({ id }) => id === mutant.caughtBy))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A backend over its simulated kernel. os-engine has none, so it is mutated over this host's kernel. */
function subjectNamed(subject: string): AnySubject | undefined {
  const real = `${subject} on Linux`
  return simulatedSubjects.find(({ name }) => name === subject) ?? realSubjects().find(({ name }) => name === real)
}

async function edited(mutant: Mutant, folder: string): Promise<{ createOS: CreateOS }> {
  const [system = ''] = mutant.subject.split(',')
  const name = bsd.includes(system) ? 'os-bsd' : `os-${system}`
  const home = dirname(createRequire(import.meta.url).resolve(`@memlayer/${name}/package.json`))
  cpSync(join(home, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(home, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
  const file = join(folder, 'dist', 'mem.js')
  let text = replaced(readFileSync(file, 'utf8'), mutant.find, mutant.put, mutant)
  if (mutant.and !== undefined) text = replaced(text, ...mutant.and, mutant)
  writeFileSync(file, text)
  return (await import(pathToFileURL(join(folder, 'dist', 'index.js')).href)) as { createOS: CreateOS }
}

function replaced(text: string, find: string | RegExp, put: string, { wrong }: Mutant): string {
  const parts = text.split(find).length
  if (parts === 1) throw new Error(`mutant '${wrong}': mem.js does not contain its text any more: update the mutant`)
  if (typeof find === 'string' && parts > 2)
    throw new Error(`mutant '${wrong}': mem.js contains its text ${parts - 1} times: make the text unique`)
  return typeof find === 'string' ? text.replace(find, () => put) : text.replace(find, put)
}

/** Returns the subject with the mutant's createOS instead of the backend's. The options are the subject's own. */
function overMutant(subject: AnySubject, createOS: CreateOS): AnySubject {
  const [system = '', option = ''] = subject.name.split(', ')
  const options = {
    ...(bsd.includes(system) ? { flavor: system } : {}),
    ...(option === 'MADV_FREE' ? { madvDontNeed: false } : {}),
    ...(option === 'hard decommit' ? { hardDecommit: true } : {}),
  }
  return { ...subject, createOS: (made) => createOS({ ...options, ...made }) }
}
