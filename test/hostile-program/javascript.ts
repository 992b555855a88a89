// What a hostile program tries in JavaScript where Node runs it under bubblewrap. `tries` says ESCAPED where something
// works that must not.

import type { Corpus } from './program.ts'

/** Runs first in every interpreter. */
export const javascriptPrelude = `
const fs = require('node:fs'), net = require('node:net'), { spawn, spawnSync } = require('node:child_process')
const tries = (act) => { try { console.log('ESCAPED', act()) } catch (error) { console.log('refused', error.code ?? error.message) } }
const connects = (options) => new Promise((end) => {
  const socket = net.connect(options, () => { console.log('ESCAPED'); end() })
  socket.on('error', (error) => { console.log('refused', error.code); end() })
})
`

const refused = /refused E[A-Z]+/

export const javascript: Corpus = {
  language: 'javascript',
  programs: [
    { name: 'reads /etc/shadow', code: `tries(() => fs.readFileSync('/etc/shadow', 'utf8'))`, says: refused },
    { name: 'reads a file of the host', code: `tries(() => fs.readFileSync('%FILE%', 'utf8'))`, says: refused },
    {
      name: 'reads it through its parents',
      code: `tries(() => fs.readFileSync('../'.repeat(20) + '%FILE%', 'utf8'))`,
      says: refused,
    },
    {
      name: 'replaces the Node that it runs on',
      code: `tries(() => fs.writeFileSync(process.execPath, 'x'))`,
      says: refused,
    },
    { name: 'lists the folder of the project', code: `tries(() => fs.readdirSync('%PROJECT%'))`, says: refused },
    { name: 'tells its environment', code: `process.env`, says: /HOME: '\/tmp'/ },
    {
      name: 'tells a report of itself',
      code: `JSON.stringify(process.report.getReport().environmentVariables)`,
      says: /HOME/,
    },
    { name: 'signals this process', code: `tries(() => process.kill(%PID%, 'SIGKILL'))`, says: /refused ESRCH/ },
    { name: 'debugs this process', code: `tries(() => process._debugProcess(%PID%))`, says: /refused/ },
    {
      name: 'connects to a server of the host',
      code: `await connects({ host: '127.0.0.1', port: %PORT% })`,
      says: /refused ECONNREFUSED/,
    },
    {
      name: 'connects to the network',
      code: `await connects({ host: '192.0.2.1', port: 80 })`,
      says: /refused ENETUNREACH/,
    },
    { name: 'connects to an abstract socket', code: `await connects({ path: '\\0%ABSTRACT%' })`, says: refused },
    { name: 'connects to a socket by its path', code: `await connects({ path: '%SOCKET%' })`, says: refused },
    {
      name: 'fetches',
      code: `await fetch('http://127.0.0.1:%PORT%/').then(() => 'ESCAPED', (error) => 'refused ' + error.cause.code)`,
      says: /refused ECONNREFUSED/,
    },
    {
      name: 'asks for interfaces',
      code: `tries(() => { const all = require('os').networkInterfaces(); if (Object.keys(all).every((name) => name === 'lo')) throw new Error('none'); return all })`,
      says: /refused/,
    },
    {
      name: 'loads code of the machine',
      code: `fs.writeFileSync('/tmp/evil.node', 'no code'); tries(() => process.dlopen({ exports: {} }, '/tmp/evil.node'))`,
      says: /refused ERR_DLOPEN_FAILED/,
    },
    {
      name: 'asks for the inner bindings',
      code: `tries(() => process.binding('fs').internalModuleStat('/etc/shadow') === 0 || (() => { throw new Error('not there') })())`,
      says: /refused/,
    },
    {
      name: 'starts programs with more rights',
      code: `const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', 'x', '/tmp'], { encoding: 'utf8' }); status === 0 ? 'ESCAPED' : 'refused ' + stderr`,
      says: /refused/,
    },
    { name: 'becomes root', code: `tries(() => process.setuid(0))`, says: /refused E(PERM|INVAL)/ },
    {
      name: 'soils the prototype of all objects',
      code: `Object.prototype.polluted = 'ESCAPED'; Array.prototype.join = () => 'ESCAPED'; delete Object.prototype.polluted; 1`,
      says: /1/,
      alone: true,
    },
    {
      name: 'takes over the streams',
      code: `process.stdout.write = () => { throw new Error('mine') }; console.log('x')`,
      alone: true,
      end: ['finished', 'timeout'],
      timeout: 1_500,
    },
    {
      name: 'destroys the streams',
      code: `process.stdout.destroy(); process.stderr.destroy(); fs.closeSync(1)`,
      alone: true,
      end: ['finished', 'timeout', 'killed'],
      timeout: 1_500,
    },
    {
      name: 'reads what is said to its interpreter',
      code: `tries(() => fs.readSync(4, Buffer.alloc(10)))`,
      says: /refused EAGAIN/,
    },
    { name: 'says that it is done', code: `fs.writeSync(3, 'done 0\\n'); await new Promise(() => {})`, alone: true },
    {
      name: 'says what is no answer',
      code: `fs.writeSync(3, 'done\\n'.repeat(9999) + 'done 0; done -1\\ndone 99999\\n'); 2`,
      says: /2/,
      alone: true,
    },
    { name: 'ends', code: `process.exit(3)`, alone: true },
    { name: 'aborts', code: `process.abort()`, end: 'killed', alone: true },
    {
      name: 'throws where nobody catches',
      code: `setTimeout(() => { throw new Error('late') }); Promise.reject(new Error('unheard')); 5`,
      says: /late/,
    },
    { name: 'computes without end', code: `for (;;);`, end: 'timeout', alone: true, timeout: 300 },
    {
      name: 'promises without end',
      code: `const again = () => Promise.resolve().then(again); await again()`,
      end: ['timeout', 'memory'],
      alone: true,
      timeout: 300,
    },
    { name: 'never comes to rest', code: `setInterval(() => {}, 1)`, end: 'timeout', alone: true, timeout: 300 },
    {
      name: 'waits for what never comes',
      code: `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    {
      name: 'searches with a pattern without end',
      code: `/(a+)+$/.test('a'.repeat(40) + 'b')`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    { name: 'recurs without end', code: `(function f() { return f() })()`, says: /RangeError/ },
    {
      name: 'takes all memory of the engine',
      code: `const held = []; for (;;) held.push(new Array(1e5).fill({}))`,
      end: ['killed', 'memory'],
      alone: true,
      timeout: 8_000,
    },
    {
      name: 'takes all memory beside the engine',
      code: `const held = []; for (;;) held.push(Buffer.alloc(1 << 24, 1))`,
      end: ['memory', 'finished'],
      alone: true,
      timeout: 8_000,
    },
    {
      name: 'takes all memory in threads',
      code: `const { Worker } = require('node:worker_threads'); for (let n = 0; n < 40; n++) new Worker('const held = []; for (;;) held.push(new Array(1e4).fill(1))', { eval: true }).on('error', () => {}); await new Promise(() => {})`,
      end: ['memory', 'killed', 'timeout'],
      alone: true,
      timeout: 1_500,
    },
    {
      name: 'prints without end',
      code: `for (;;) console.log('x'.repeat(10000))`,
      end: ['output', 'memory'],
      alone: true,
    },
    {
      name: 'starts processes without end',
      code: `for (let n = 0; n < 200; n++) spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).on('error', () => {}).unref(); 'started'`,
      alone: true,
      end: ['finished', 'killed'],
    },
    {
      name: 'leaves a process behind',
      code: `spawn('setsid', ['sleep', '600'], { detached: true, stdio: 'ignore' }).unref(); 'left'`,
      says: /left/,
      alone: true,
    },
    {
      name: 'leaves a link to the host',
      code: `fs.symlinkSync('%FILE%', 'link')`,
      refuses: /link: it is a link/,
      alone: true,
    },
    {
      name: 'leaves a file that grows',
      code: `fs.writeFileSync('grows', 'x'); setInterval(() => fs.appendFileSync('grows', 'x'.repeat(1e5)), 1)`,
      end: 'timeout',
      alone: true,
      timeout: 300,
      artifacts: 'any',
    },
  ],
}
