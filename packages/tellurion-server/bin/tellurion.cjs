#!/usr/bin/env node
// The `tellurion` command on whatever Node runs it. Node 24 or newer runs the program here and now; an older one hands
// over to a pinned Node if one is installed, else says what is needed. Plain CommonJS that every Node can read.
'use strict'
const { spawn } = require('node:child_process')
const { closeSync, existsSync, openSync } = require('node:fs')
const { constants } = require('node:os')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

const needed = 24
const source = join(__dirname, '..', 'src', 'cli', 'main.ts')
const fromSource = existsSync(source)
const program = fromSource ? source : join(__dirname, '..', 'dist', 'cli', 'main.js')

/** The pinned Node of the project this lies in, if there is one for the platform. */
function pinnedNode() {
  const { platform, arch } = process
  const executable = platform === 'win32' ? 'bin/node.exe' : 'bin/node'
  for (const name of [`node-${platform === 'win32' ? 'win' : platform}-${arch}`, `node-bin-${platform}-${arch}`]) {
    try {
      return require.resolve(`${name}/${executable}`)
    } catch {
      // Not installed: an ordinary case outside the project's own checkout.
    }
  }
  return undefined
}

/** Whether a terminal sends Ctrl-C to the whole process group, the child included. */
function hasTerminal() {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

/** Runs the program under another Node and ends as it ends: same exit code, or same signal. */
function handOver(node) {
  const args = [...(fromSource ? ['--conditions=@tellurion/source'] : []), program, ...process.argv.slice(2)]
  const child = spawn(node, args, { stdio: 'inherit' })
  const interruptsAlone = !hasTerminal()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'])
    if (constants.signals[signal] !== undefined)
      process.on(signal, () => {
        // Forwarding the terminal's Ctrl-C too would make one keystroke two, and two means leave at once.
        if ((signal !== 'SIGINT' && signal !== 'SIGQUIT') || interruptsAlone) child.kill(signal)
      })
  child.on('error', (error) => {
    process.stderr.write(`tellurion: ${node} cannot be started: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) return process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

const modern = Number(process.versions.node.split('.')[0]) >= needed
if (modern && !fromSource) import(pathToFileURL(program).href)
else {
  const node = modern ? process.execPath : pinnedNode()
  if (node !== undefined) handOver(node)
  else {
    process.stderr.write(
      `tellurion: this is Node ${process.version}, and Node ${needed} or newer is needed: https://nodejs.org\n`,
    )
    process.exitCode = 1
  }
}
