#!/usr/bin/env node
// `npm create @memlayer/backend my-os`: the command, as npm installs it.
import { main } from './main.js'

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
