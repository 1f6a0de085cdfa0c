// From the one name that a person gives to the names in the package: `@acme/os-foo-bar` is the package,
// `foo-bar` the system, FooBar the class, os-foo-bar the folder.

/** A name that can't be used; the message says why, and what can. */
export class NameError extends Error {
  /** What a log shows. */
  override readonly name: string = 'NameError'
}

/** The names of one package. */
export interface Names {
  /** What npm calls it. */
  readonly package: string
  /** What `os.name` is. */
  readonly system: string
  /** The class in mem.ts. */
  readonly className: string
  /** Where it is written, from the folder that one is in. */
  readonly folder: string
}

// What npm takes, less what could not be the start of a class.
const valid = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9-]*$/

/** @throws NameError unless it can name a package and a class. */
export function namesOf(given: string): Names {
  if (!valid.test(given) || given.length > 214 || given.endsWith('-') || given.includes('--')) {
    throw new NameError(
      `'${given}' can't be a package's name here: use small letters, digits and single hyphens, a letter first, with a scope or without: my-os, @acme/os-foo`,
    )
  }
  const folder = given.slice(given.indexOf('/') + 1)
  const system = folder.replace(/^(?:memlayer-)?(?:os-)?(?=[a-z])/, '')
  const className = system.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return { package: given, system, className, folder }
}
