// Makes node_modules match the lock file before an npm script runs. Plain CommonJS: it runs on the system's own Node,
// whatever that is, and brings the pinned one. It compares contents, not times, so a checkout never causes an install.
'use strict'
const { spawnSync } = require('node:child_process')
const { existsSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

/** What keeps `node_modules` from being what the lock says, as one line; undefined when nothing does. */
function staleness(root) {
  const lock = packagesOf(join(root, 'package-lock.json'))
  if (lock === undefined) return 'package-lock.json is missing or unreadable'
  // npm writes its own list last, so a half-finished install has none.
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return 'node_modules is missing or half installed'
  for (const [path, wanted] of Object.entries(lock)) {
    if (!path.includes('node_modules/')) continue
    const found = installed[path]
    // Optional packages of other platforms are in the lock, but not installed.
    if (found === undefined && !wanted.optional) return `${path} is not installed`
    if (found !== undefined && (found.version !== wanted.version || found.integrity !== wanted.integrity))
      return `${path} is not the version of the lock`
    if (found !== undefined && !existsSync(join(root, path))) return `${path} was removed`
  }
  return undefined
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Runs npm, the one that is running us if there is one; returns what went wrong, if anything. */
function npm(root, ...args) {
  const cli = process.env.npm_execpath
  const options = { cwd: root, stdio: ['ignore', 2, 2] }
  const done =
    cli && /npm-cli\.c?js$/.test(cli)
      ? spawnSync(process.execPath, [cli, ...args], options)
      : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (done.error) return done.error.message
  return done.status === 0 ? undefined : `exit code ${done.status ?? done.signal}`
}

/** The package of the pinned Node for this platform; undefined where there is none. */
function pinnedPackage(root) {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  return [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`].find((name) =>
    existsSync(join(root, 'node_modules', name)),
  )
}

/** Whether npm scripts find the pinned Node first on their PATH. */
const isLinked = (root) => ['node', 'node.cmd'].some((name) => existsSync(join(root, 'node_modules', '.bin', name)))

function main(root) {
  const reason = staleness(root)
  if (reason !== undefined) {
    process.stderr.write(`Installing the pinned toolchain with npm ci (${reason})...\n`)
    const failure = npm(root, 'ci', '--no-audit', '--no-fund', '--loglevel=error')
    if (failure !== undefined) return `npm ci failed (${failure}): see its lines above, mend that and try again.`
    const still = staleness(root)
    if (still !== undefined) return `npm ci ended well, yet ${still}: delete node_modules and try again.`
  }
  const pinned = pinnedPackage(root)
  // npm 10 drops the link to `node` together with the packages of other platforms, which claim the same name.
  if (pinned !== undefined && !isLinked(root)) npm(root, 'rebuild', '--ignore-scripts', '--loglevel=error', pinned)
  if (!isLinked(root) && Number(process.versions.node.split('.')[0]) < 24)
    return `No pinned Node was installed for ${process.platform}-${process.arch}, and this one is ${process.version}: install Node 24 or newer.`
  return undefined
}

const failure = main(join(__dirname, '..'))
if (failure !== undefined) {
  process.stderr.write(`${failure}\n`)
  process.exitCode = 1
}
