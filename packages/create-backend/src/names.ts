// Derives all names in the package from the user's name. For `@acme/os-foo-bar` the system is `foo-bar`, the class
// FooBar, and the folder os-foo-bar.

/** The name can't be used. The message says why, and which names can. */
export class NameError extends Error {
  /** The name that a log shows. */
  override readonly name: string = 'NameError'
}

/** The names of one package. */
export interface Names {
  /** The package's name on npm. */
  readonly package: string
  /** The value of `os.name`. */
  readonly system: string
  /** The class in mem.ts. */
  readonly className: string
  /** The package's folder, relative to the current folder. */
  readonly folder: string
}

// Names that npm accepts, and that can also begin a class name.
const valid = /^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9-]*$/

/** Derives the names. @throws NameError when `given` can't name a package and a class. */
export function namesOf(given: string): Names {
  if (!valid.test(given) || given.length > 214 || given.endsWith('-') || given.includes('--')) {
    throw new NameError(
      `'${given}' can't be the package's name: use small letters, digits and single hyphens, with a letter first, ` +
        'for example my-os or @acme/os-foo',
    )
  }
  const folder = given.slice(given.indexOf('/') + 1)
  const system = folder.replace(/^(?:memlayer-)?(?:os-)?(?=[a-z])/, '')
  const className = system.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return { package: given, system, className, folder }
}
