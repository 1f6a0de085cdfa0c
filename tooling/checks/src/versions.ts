// Tests that versions are independent. In a scratch clone it changes one package, adds a changeset and runs the
// version step. It then looks at which packages have a new version.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { runTool, startTool } from './tool.js'
import { readWorkspace, type Workspace } from './workspace.js'

/** A clone of the workspace with its uncommitted changes, in which all pending changesets are released. */
export interface ScratchClone {
  readonly root: string
  /** Returns the current names and versions of all packages. */
  versions(): Map<string, string>
  /** Adds a changeset and commits it. `bumps` maps a package's name to `'patch'`, `'minor'` or `'major'`. */
  addChangeset(bumps: Readonly<Record<string, string>>, summary: string): void
  /** Commits all changes. */
  commit(message: string): void
  /** Runs the version step of a release. */
  version(): void
  /** Runs the publish step with a registry that needs no login. Returns its output and the git tags it made. */
  publish(registry: string): Promise<{ readonly said: string; readonly tags: readonly string[] }>
  /** Returns the paths that differ from the last commit. */
  changed(): string[]
  remove(): void
}

/** Makes a scratch clone in the folder for temporary files. */
export function scratchClone(workspace: Workspace): ScratchClone {
  const root = mkdtempSync(join(tmpdir(), 'memlayer-versions-'))
  for (const file of workspace.files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    cpSync(join(workspace.root, file), join(root, file))
  }
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  git('init', '--quiet', '--initial-branch=main')
  // The clone has its own git user, because changesets makes tags and the machine may have no git user.
  git('config', 'user.name', 'memlayer')
  git('config', 'user.email', 'memlayer@localhost')
  git('config', 'commit.gpgsign', 'false')
  git('config', 'tag.gpgsign', 'false')
  const clone: ScratchClone = {
    root,
    versions: () => new Map(readWorkspace(root).packages.map(({ name, manifest }) => [name, manifest.version ?? ''])),
    addChangeset(bumps, summary) {
      const lines = Object.entries(bumps).map(([name, bump]) => `"${name}": ${bump}`)
      writeFileSync(join(root, '.changeset', 'scratch.md'), `---\n${lines.join('\n')}\n---\n\n${summary}\n`)
      clone.commit('A changeset')
    },
    commit(message) {
      git('add', '--all')
      git('commit', '--quiet', '--allow-empty', '--no-verify', `--message=${message}`)
    },
    version() {
      const { code, stdout, stderr } = runTool('changeset', ['version'], root)
      if (code !== 0) throw new Error(`changeset version failed with exit code ${code}: ${stdout}${stderr}`)
    },
    async publish(registry) {
      for (const { folder } of workspace.packages.filter((pkg) => pkg.isPublic)) {
        const dist = join(workspace.root, folder, 'dist')
        if (existsSync(dist)) cpSync(dist, join(root, folder, 'dist'), { recursive: true })
      }
      symlinkSync(join(workspace.root, 'node_modules'), join(root, 'node_modules'), 'junction')
      const npmrc = join(root, '.git', 'npmrc')
      writeFileSync(npmrc, `registry=${registry}\n${registry.replace(/^https?:/, '')}:_authToken=any\n`)
      const env = { NPM_CONFIG_USERCONFIG: npmrc, npm_config_registry: registry, pnpm_config_registry: registry }
      const { code, stdout, stderr } = await startTool('changeset', ['publish'], root, env)
      if (code !== 0) throw new Error(`changeset publish failed with exit code ${code}: ${stdout}${stderr}`)
      return { said: stdout, tags: git('tag').split('\n').filter(Boolean) }
    },
    changed: () =>
      git('status', '--porcelain', '--untracked-files=all')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.slice(3)),
    remove: () => rmSync(root, { recursive: true }),
  }
  clone.commit('The workspace')
  clone.version()
  clone.commit('All that is pending, released')
  return clone
}

/** Checks that the configuration of changesets gives every package its own version. */
export function checkChangesetConfig(config: Readonly<Record<string, unknown>>): string[] {
  const findings = ['fixed', 'linked', 'ignore']
    .filter((key) => !Array.isArray(config[key]) || config[key].length > 0)
    .map((key) => `.changeset/config.json: write "${key}": [], because each package has its own version.`)
  if (config['access'] !== 'public') findings.push('.changeset/config.json: write "access": "public".')
  // Prettier leaves Markdown alone, and to run it the version step would install the workspace first.
  if (config['format'] !== false) findings.push('.changeset/config.json: write "format": false.')
  return findings
}

/** Returns a sentence for each published package that has neither a release nor a changeset for the first one. */
export function checkFirstChangesets(workspace: Workspace, changesets: readonly string[]): string[] {
  return workspace.packages
    .filter(
      ({ name, isPublic, manifest }) =>
        isPublic &&
        manifest.version === '0.0.0' &&
        !changesets.some((text) => text.includes(`"${name}":`) || text.includes(`'${name}':`)),
    )
    .map(
      ({ name }) =>
        `${name} has no changeset for its first release: ` +
        `write .changeset/first-${name.replace(/^@.*\//, '')}.md with "${name}": minor.`,
    )
}
