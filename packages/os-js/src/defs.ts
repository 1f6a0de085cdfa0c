// WebAssembly's numbers. It answers to the page size in Go's runtime/mem_js.go and os_wasm.go.

// WebAssembly Core Specification, 4.2.8 "Memory Instances".
export const PAGE_SIZE = 65536

// WebAssembly JavaScript Interface, "Limits": the pages that 32-bit addresses reach, 4 GiB.
export const MAX_PAGES_32 = 65536

// 64-bit addresses could reach 2^48 pages, but engines stop far below. A count of 2^32 pages or more must not reach
// V8. There `grow(2n ** 40n)` keeps the low 32 bits, grows by 0 pages and reports success (Node 24.21).
export const MAX_PAGES_64 = 0xffffffff

// growMemory answers -1 without an error number. A C library on such a host reports ENOMEM for it.
export const ENOMEM = 12
