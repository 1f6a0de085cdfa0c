// Modules of npm whose memory is filled, emptied, trimmed and filled again. modules.test.ts runs this file on each
// engine and reads the facts that it prints.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { adopt } from '@memlayer/os-engine'

const require = createRequire(import.meta.url)
const MiB = 2 ** 20
const rounds = Number(process.argv[2])
const size = Number(process.argv[3]) * MiB

/** SQLite by Emscripten, whose memory grows by JavaScript. */
async function sqlite() {
  const wasm = readFileSync(require.resolve('sql.js/dist/sql-wasm.wasm'))
  let memory
  const SQL = await require('sql.js')({
    instantiateWasm(imports, done) {
      const module = new WebAssembly.Module(wasm)
      const instance = new WebAssembly.Instance(module, imports)
      memory = Object.values(instance.exports).find((one) => one instanceof WebAssembly.Memory)
      done(instance, module)
      return instance.exports
    },
  })
  const { _malloc: malloc, _free: free } = SQL
  const adopted = adopt(memory, { name: 'sqlite' })
  const db = new SQL.Database()
  // Databases that lie in the module's memory. sql.js has the main one in a file of JavaScript's.
  db.run("ATTACH ':memory:' AS own; CREATE TABLE own.kept (id INTEGER PRIMARY KEY, text TEXT)")
  for (let id = 0; id < 2000; id++) db.run('INSERT INTO own.kept VALUES (?, ?)', [id, `row ${id} `.repeat(100)])
  const found = []
  for (let round = 0; round < rounds; round++) {
    db.run("ATTACH ':memory:' AS filling; CREATE TABLE filling.blobs (bytes BLOB)")
    for (let i = 0; i < size / MiB; i++) db.run('INSERT INTO filling.blobs VALUES (randomblob(1000000))')
    db.run('DETACH filling')
    const emptied = adopted.resident()
    const given = adopted.trim({ malloc, free })
    const [[integrity]] = db.exec('PRAGMA own.integrity_check')[0].values
    const rows = db.exec('SELECT id, text FROM own.kept ORDER BY id')[0].values
    const isKept =
      rows.length === 2000 && rows.every(([id, text], at) => id === at && text === `row ${id} `.repeat(100))
    found.push({
      emptied,
      given,
      trimmed: adopted.resident(),
      bytes: adopted.size,
      isRight: isKept && integrity === 'ok',
    })
  }
  db.close()
  return found
}

/** Brotli by Rust, whose memory grows by its own instruction. */
function brotli() {
  const { Instance } = WebAssembly
  let exports
  WebAssembly.Instance = class extends Instance {
    constructor(module, imports) {
      super(module, imports)
      exports = this.exports
    }
  }
  const { compress, decompress } = require('brotli-wasm')
  WebAssembly.Instance = Instance
  const { __wbindgen_malloc: malloc, __wbindgen_free: free } = exports
  const adopted = adopt(exports.memory, { name: 'brotli' })
  const bytes = new Uint8Array(size / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + (i >>> 9)) & 255
  const found = []
  for (let round = 0; round < rounds; round++) {
    const packed = compress(bytes, { quality: 1 })
    const back = decompress(packed)
    const isSame = back.length === bytes.length && back.every((byte, i) => byte === bytes[i])
    const emptied = adopted.resident()
    const given = adopted.trim({ malloc, free })
    found.push({ emptied, given, trimmed: adopted.resident(), bytes: adopted.size, isRight: isSame })
  }
  return found
}

console.log(JSON.stringify({ sqlite: await sqlite(), brotli: brotli() }))
