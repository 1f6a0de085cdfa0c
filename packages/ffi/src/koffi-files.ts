// koffi's files, for tracers such as @vercel/nft, which copy the files that a program needs. koffi.ts finds koffi by a
// computed name, and koffi finds its own addon by one. So a tracer sees neither. It does follow import.meta.resolve of
// a literal name. Bundlers have no-koffi-files.ts in its place.

/** The files of koffi on the systems that programs are deployed to. A tracer warns of those that are not installed. */
export const koffiFiles = (): readonly string[] => [
  import.meta.resolve('@koromix/koffi-darwin-arm64'),
  import.meta.resolve('@koromix/koffi-darwin-arm64/darwin_arm64/koffi.node'),
  import.meta.resolve('@koromix/koffi-darwin-x64'),
  import.meta.resolve('@koromix/koffi-darwin-x64/darwin_x64/koffi.node'),
  import.meta.resolve('@koromix/koffi-linux-arm64'),
  import.meta.resolve('@koromix/koffi-linux-arm64/linux_arm64/koffi.node'),
  import.meta.resolve('@koromix/koffi-linux-arm64/musl_arm64/koffi.node'),
  import.meta.resolve('@koromix/koffi-linux-x64'),
  import.meta.resolve('@koromix/koffi-linux-x64/linux_x64/koffi.node'),
  import.meta.resolve('@koromix/koffi-linux-x64/musl_x64/koffi.node'),
  import.meta.resolve('@koromix/koffi-win32-x64'),
  import.meta.resolve('@koromix/koffi-win32-x64/win32_x64/koffi.node'),
]
