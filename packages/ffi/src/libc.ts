// The names of libc, for engines that need a name to open a library: Bun's and Deno's. koffi and node:ffi ask the
// process itself.

/** The names that may open libc, most likely first, by Node's process.platform. */
const names: Readonly<Record<string, readonly string[]>> = {
  // glibc, then musl by its own name, then musl by the linker's name.
  linux: ['libc.so.6', `libc.musl-${muslArch(process.arch)}.so.1`, 'libc.so'],
  android: ['libc.so'],
  darwin: ['/usr/lib/libSystem.B.dylib'],
  freebsd: ['libc.so.7'],
}

/** Opens libc by the first name that `open` takes. If it takes no name, throws the error of the first one. */
export function openLibc<T>(open: (name: string) => T): T {
  const [first = 'libc.so', ...others] = names[process.platform] ?? []
  try {
    return open(first)
  } catch (error) {
    for (const name of others) {
      try {
        return open(name)
      } catch {
        // The error of the first name is thrown, because people know libc by that name.
      }
    }
    throw error
  }
}

function muslArch(arch: string): string {
  return { x64: 'x86_64', arm64: 'aarch64' }[arch] ?? arch
}
