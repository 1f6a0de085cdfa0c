// Where the site is: on its host, and in this checkout. It loads nothing else, so that a wrong word of the command is
// answered at once.
import { join } from 'node:path'
import { checkout } from '@memlayer/checks/workspace'

/** The path of the site on its host, which GitHub Pages takes from the repository's name. */
export const base = '/memlayer/'

/** The folder of this tool. */
export const tool: string = join(checkout, 'tooling', 'site')

/** What is made: VitePress, the pages, the site. It can be removed at any time. */
export const temp: string = join(tool, 'temp')

/** The folder with the built site. What is served at `base` is in a folder of that name. */
export const siteFolder: string = join(temp, 'site')
