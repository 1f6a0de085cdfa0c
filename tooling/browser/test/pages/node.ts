// Imports a module that a browser does not have.
import { readFileSync } from 'node:fs'

export const run = (): string => readFileSync('/etc/hostname', 'utf8')
