// What a hostile program tries in QuickJS, where the engine in WebAssembly is all that holds it.

import type { Corpus } from './program.ts'

/** Runs first in every interpreter. */
export const quickjsPrelude = `globalThis.tries = (act) => { try { console.log('ESCAPED', act()) } catch (error) { console.log('refused', error.name) } }`

const refused = /refused \w+/

export const quickjs: Corpus = {
  language: 'javascript',
  programs: [
    {
      name: 'looks for what Node has',
      code: `[typeof process, typeof require, typeof fetch, typeof Buffer, typeof module, typeof setTimeout, typeof WebAssembly, typeof Worker].join()`,
      says: /^(undefined,){7}undefined/,
    },
    {
      name: 'looks for what QuickJS has elsewhere',
      code: `[typeof std, typeof os, typeof bjson, typeof scriptArgs, typeof __print, typeof __load, typeof __save].join()`,
      says: /^(undefined,){6}undefined/,
    },
    {
      name: 'asks the constructor of constructors',
      code: `tries(() => globalThis.constructor.constructor('return process')().env)`,
      says: refused,
    },
    {
      name: 'asks the constructor of console.log',
      code: `tries(() => console.log.constructor('return process')().env)`,
      says: refused,
    },
    {
      name: 'asks the constructor of readFile',
      code: `tries(() => readFile.constructor.constructor('return process.mainModule.require')()('fs'))`,
      says: refused,
    },
    {
      name: 'asks who called it',
      code: `tries(() => (function () { return arguments.callee.caller.caller.arguments })().length)`,
      says: refused,
    },
    {
      name: 'imports',
      code: `import('node:fs').then(() => 'ESCAPED', (error) => 'refused ' + error.name)`,
      says: refused,
    },
    { name: 'evaluates', code: `tries(() => eval('process.exit()'))`, says: refused },
    { name: 'reads a file of the host', code: `tries(() => readFile('%FILE%'))`, says: refused },
    {
      name: 'reads by a name that is no text',
      code: `tries(() => readFile({ toString() { return '/etc/shadow' } }))`,
      says: refused,
    },
    {
      name: 'reads by a name that throws',
      code: `tries(() => readFile({ toString() { throw new TypeError('mine') } }))`,
      says: /refused TypeError/,
    },
    {
      name: 'soils the prototype of all objects',
      code: `Object.prototype.then = (end) => end('ESCAPED'); Object.prototype.toJSON = () => 'soiled'; console.log({ a: 1 }); delete Object.prototype.then; delete Object.prototype.toJSON`,
      says: /soiled/,
    },
    {
      name: 'soils the prototypes by JSON',
      code: `const soil = JSON.parse('{"__proto__": {"polluted": true}}'); Object.assign({}, soil); ({}).polluted === undefined ? 'clean' : 'ESCAPED'`,
      says: /clean/,
    },
    {
      name: 'replaces what the console is made of',
      code: `JSON.stringify = String = Array.prototype.map = () => { throw 1 }; console.log('still', { here: true })`,
      says: /still \{"here":true\}/,
      alone: true,
    },
    {
      name: 'replaces the console',
      code: `console.log = () => 'ESCAPED'; globalThis.console = undefined; 'quiet'`,
      says: /quiet/,
      alone: true,
    },
    {
      name: 'is a value that throws when it is shown',
      code: `({ toJSON() { throw new Error('boo') }, toString() { throw new Error('boo') } })`,
      says: /cannot be shown/,
    },
    {
      name: 'is a proxy that throws at everything',
      code: `new Proxy({}, new Proxy({}, { get() { throw new Error('boo') } }))`,
      says: /cannot be shown/,
    },
    {
      name: 'is an error with a false stack',
      code: `const error = new Error('boo'); Object.defineProperty(error, 'stack', { get() { throw 1 } }); throw error`,
      says: /cannot be shown/,
    },
    {
      name: 'throws what is no error',
      code: `throw { toString: null, valueOf: null, [Symbol.toPrimitive]: 1 }`,
      says: /\{|cannot be shown/,
    },
    { name: 'throws nothing', code: `throw undefined`, says: /undefined/ },
    { name: 'is round', code: `const round = {}; round.round = round; round`, says: /cannot be shown/ },
    {
      name: 'is a symbol, a function, a big number',
      code: `console.log(Symbol('s'), () => {}, 10n ** 50n)`,
      says: /Symbol\(s\).*10{50}n/,
    },
    { name: 'has letters of half a pair', code: `'\\udfff' + String.fromCharCode(0xd800) + '\\0'`, says: /\ufffd/ },
    { name: 'recurs without end', code: `(function f() { return f() + 1 })()`, says: /stack overflow/ },
    {
      name: 'recurs in JSON',
      code: `let deep = []; for (let n = 0; n < 1e5; n++) deep = [deep]; JSON.stringify(deep)`,
      alone: true,
      end: ['finished', 'timeout'],
      timeout: 1_500,
    },
    { name: 'recurs in a pattern', code: `new RegExp('('.repeat(50000) + ')'.repeat(50000))`, says: /overflow|Error/ },
    { name: 'recurs in its own text', code: `eval('['.repeat(100000))`, end: ['finished', 'killed'], alone: true },
    {
      name: 'takes all memory',
      code: `const held = []; for (;;) held.push({ n: held.length })`,
      alone: true,
      end: ['finished', 'timeout'],
      timeout: 1_500,
    },
    {
      name: 'takes all memory by a text',
      code: `let text = 'x'; for (;;) text += text`,
      alone: true,
      says: /out of memory|too long/,
    },
    {
      name: 'takes all memory by a buffer',
      code: `const held = []; for (;;) held.push(new ArrayBuffer(1 << 20))`,
      alone: true,
      end: ['finished', 'timeout'],
      timeout: 1_500,
    },
    {
      name: 'takes a huge array',
      code: `new Array(2 ** 32 - 1).fill(0)`,
      end: ['finished', 'timeout'],
      alone: true,
      timeout: 500,
    },
    {
      name: 'catches that there is no memory',
      code: `for (;;) try { const held = []; for (;;) held.push(new Uint8Array(1e6)) } catch {}`,
      end: 'timeout',
      alone: true,
      timeout: 400,
    },
    { name: 'computes without end', code: `for (;;);`, end: 'timeout', alone: true, timeout: 200 },
    {
      name: 'catches its end',
      code: `for (;;) try { for (;;); } catch {} finally { for (;;); }`,
      end: 'timeout',
      alone: true,
      timeout: 200,
    },
    {
      name: 'promises without end',
      code: `const again = () => Promise.resolve().then(again); again()`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    {
      name: 'generates without end',
      code: `[...(function* () { for (;;) yield 1 })()].length`,
      end: ['finished', 'timeout'],
      alone: true,
      timeout: 500,
    },
    {
      name: 'searches with a pattern without end',
      code: `/(a+)+$/.test('a'.repeat(40) + 'b')`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    {
      name: 'searches backwards without end',
      code: `/^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(60))`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    {
      name: 'sorts without end',
      code: `[3, 2, 1].sort(() => { for (;;); })`,
      end: 'timeout',
      alone: true,
      timeout: 300,
    },
    {
      name: 'waits for what never comes',
      code: `await0 = new Promise(() => {}); typeof Atomics === 'undefined' ? 'none' : (() => { try { return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) } catch { return 'none' } })()`,
      end: ['finished', 'timeout'],
      alone: true,
      timeout: 300,
    },
    { name: 'prints without end', code: `for (;;) console.log('x'.repeat(1000))`, end: 'output', alone: true },
    {
      name: 'prints nothing without end',
      code: `for (;;) console.log()`,
      end: ['output', 'timeout'],
      alone: true,
      timeout: 1_000,
    },
    {
      name: 'leaves files elsewhere',
      code: `writeFile('../evil', 'x'); writeFile('/etc/passwd', 'x'); writeFile('a/../../b', 'x'); writeFile('', 'x')`,
      refuses: /evil.*passwd.*not fit/,
    },
    {
      name: 'leaves names that break lines',
      code: `writeFile('a\\nb', 'x'); writeFile('\\u202egpj.exe', 'x'); writeFile('\\x1b[31m', 'x'); writeFile('con\\\\aux', 'x')`,
      refuses: /not fit.*not fit.*not fit.*not fit/,
    },
    {
      name: 'leaves a file that is huge',
      code: `writeFile('huge', 'x'.repeat(2e6))`,
      refuses: /huge: 2000000 bytes are too many/,
    },
    {
      name: 'leaves too many files',
      code: `for (let n = 0; n < 500; n++) writeFile('f' + n, 'x')`,
      artifacts: 100,
      refuses: /too many files/,
      alone: true,
    },
    {
      name: 'fills its folder',
      code: `tries(() => { for (let n = 0; ; n++) writeFile('f' + n, 'x'.repeat(1e6)) })`,
      says: refused,
      artifacts: 'any',
      alone: true,
    },
    { name: 'calls from a file of the last call', code: `readFile('f0')`, says: /There is no file/ },
  ],
}
