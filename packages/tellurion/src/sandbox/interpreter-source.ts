// What runs inside, before any code that nobody vouches for: a loop for each language that takes files and code from
// descriptor 4 and says on descriptor 3 when it is done. State stays between calls. Nothing outside trusts what it says.

import type { Language } from './limit.ts'

/** The folder that code works in, and the one for what is temporary. */
export const workFolder = '/work'
export const temporaryFolder = '/tmp'

/** How an interpreter is started, given the path of its program inside and the bytes of memory it may take. */
export function interpreterCommand(language: Language, program: string, memory: number): readonly string[] {
  switch (language) {
    case 'python':
      return [program, '-I', '-B', '-X', 'utf8', '-c', python]
    case 'javascript':
      return [program, `--max-old-space-size=${Math.floor((memory * 0.75) / 1024 / 1024)}`, '-e', javascript]
    case 'bash':
      return [program, '--norc', '--noprofile', '-c', bash]
    default:
      return language satisfies never
  }
}

/** The last expression's value is shown, as at a prompt. A process that the code forks off never comes back here. */
const python = `
import ast, linecache, os, sys, traceback
requests = os.fdopen(4, 'rb')
os.set_inheritable(4, False)
os.set_inheritable(3, False)
sys.stdout.reconfigure(line_buffering=True)
folder = os.getcwd()
sys.path.insert(0, folder)
space = {'__name__': '__main__', '__builtins__': __builtins__}
process = os.getpid()
count = 0

def execute(code):
    global count
    count += 1
    name = '<code %d>' % count
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    try:
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, 'exec'), space)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, 'eval'), space)
            if value is not None:
                print(repr(value))
        return 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 255
        try:
            print(end.code, file=sys.stderr)
        except BaseException:
            pass
        return 1
    except BaseException as error:
        place = error.__traceback__
        while place is not None and not place.tb_frame.f_code.co_filename.startswith('<code '):
            place = place.tb_next
        traceback.print_exception(type(error), error, place)
        return 1

os.write(3, b'ready\\n')
while True:
    head = requests.readline().split(b' ', 2)
    if len(head) < 3:
        os._exit(0)
    status = 0
    content = requests.read(int(head[1]))
    if head[0] == b'file':
        name = os.path.join(folder, head[2][:-1].decode())
        try:
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with open(name, 'wb') as file:
                file.write(content)
        except OSError as error:
            print(error, file=sys.stderr)
        continue
    status = execute(content.decode())
    if os.getpid() != process:
        os._exit(status)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    os.write(3, b'done %d\\n' % status)
`

/** Evaluated as at a prompt: names may be declared again, await stands anywhere. Waits for what is still to be done. */
const javascript = `
'use strict'
{
  const { mkdirSync, writeFileSync, writeSync } = require('node:fs')
  const { dirname, join } = require('node:path')
  const { inspect } = require('node:util')
  const { Session } = require('node:inspector')
  const { Socket } = require('node:net')
  const folder = process.cwd()
  const load = require('node:module').createRequire(folder + '/')
  const session = new Session()
  const requests = new Socket({ fd: 4, readable: true, writable: false })
  const out = process.stdout, err = process.stderr
  const after = setTimeout, forget = clearTimeout
  session.connect()
  Object.defineProperty(globalThis, 'require', { value: load, configurable: true, writable: true })
  // Where the code's own frames end, ours begin.
  const say = (text) => { err.write(text.replaceAll(/\\n +at Session\\.post[^\\n]*(?:\\n +at [^\\n]*)*/g, '') + '\\n') }
  process.on('uncaughtException', (error) => say(inspect(error)))

  const evaluate = (expression) => new Promise((resolve) => {
    const answer = (error, { result, exceptionDetails } = {}) => {
      if (error) return resolve((say(String(error.message)), 1))
      if (exceptionDetails) {
        const { exception } = exceptionDetails
        say((exception && (exception.description || inspect(exception.value))) || exceptionDetails.text)
        return resolve(1)
      }
      if (result.type === 'undefined') return resolve(0)
      if (result.objectId === undefined) {
        out.write((result.type === 'string' ? inspect(result.value) : result.unserializableValue || String(result.value)) + '\\n')
        return resolve(0)
      }
      globalThis[shown] = inspect
      session.post('Runtime.callFunctionOn', {
        objectId: result.objectId,
        functionDeclaration: 'function () { return globalThis[Symbol.for("shown")](this) }',
        returnByValue: true,
      }, (problem, { result: text } = {}) => {
        delete globalThis[shown]
        out.write((text && typeof text.value === 'string' ? text.value : '') + '\\n')
        resolve(0)
      })
    }
    session.post('Runtime.evaluate', { expression, replMode: true, awaitPromise: true }, answer)
  })
  const shown = Symbol.for('shown')

  const idle = (patience) => new Promise((resolve) => {
    const end = () => { forget(timer); process.off('beforeExit', end); requests.ref(); resolve() }
    const timer = after(end, patience)
    timer.unref()
    process.on('beforeExit', end)
    requests.unref()
  })

  const handle = async (kind, name, content) => {
    if (kind === 'file') {
      try {
        const path = join(folder, name)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, content)
      } catch (error) {
        say(error.message)
      }
      return
    }
    const status = await evaluate(String(content))
    await idle(Number(name))
    writeSync(3, 'done ' + (process.exitCode ?? status) + '\\n')
    process.exitCode = undefined
  }

  let buffered = Buffer.alloc(0)
  let working = Promise.resolve()
  requests.on('data', (bytes) => {
    buffered = Buffer.concat([buffered, bytes])
    for (;;) {
      const line = buffered.indexOf(10)
      if (line < 0) return
      const [kind, size, ...name] = String(buffered.subarray(0, line)).split(' ')
      const end = line + 1 + Number(size)
      if (buffered.length < end) return
      const content = buffered.subarray(line + 1, end)
      buffered = buffered.subarray(end)
      working = working.then(() => handle(kind, name.join(' '), content))
    }
  })
  requests.on('close', () => process.exit(0))
  writeSync(3, 'ready\\n')
}
`

/** Descriptors 3 and 4 are hidden from the code for as long as it runs. */
const bash = `
__folder=$PWD
printf 'ready\\n' >&3
while IFS=' ' read -r -u 4 __kind __size __name; do
  case $__kind in
    file)
      mkdir -p -- "$(dirname -- "$__folder/$__name")"
      head -c "$__size" <&4 >"$__folder/$__name" ;;
    run)
      __code=$(head -c "$__size" <&4)
      eval "$__code" 3>&- 4<&-
      printf 'done %d\\n' "$?" >&3 ;;
  esac
done
`
