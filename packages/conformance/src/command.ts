#!/usr/bin/env node
// The command `npx @memlayer/conformance ./my-os`, as npm installs it.
import { main } from './main.js'

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
})
