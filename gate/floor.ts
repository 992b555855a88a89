// The floors of the house as rules over source text: who may import whom, and what. `test/floors.test.ts` runs them on
// the project and on made-up violations.

import { posix } from 'node:path'
import { importsOf, isTest, type SourceFile } from './source.ts'

/** The floors, from the ground up: a room imports rooms of lower floors, never one of its own floor but the ground's. */
const floors = [
  ['message', 'event', 'error', 'clock', 'id', 'channel', 'abort', 'schema', 'retry', 'graph', 'secret', 'port'],
  ['world', 'model', 'tool', 'knowledge', 'store', 'trace'],
  ['workspace', 'sandbox', 'web'],
  ['mcp'],
  ['agent'],
  ['runtime'],
  ['sqlite', 'file'],
  ['protocol', 'terminal'],
  ['server', 'client', 'config', 'demo'],
  ['tui', 'studio'],
  ['cli'],
]

/** What a room may not see although it lies lower. */
const unseen: Readonly<Record<string, readonly string[]>> = {
  agent: ['store', 'trace', 'workspace', 'sandbox', 'web', 'mcp'],
}

/** Rooms that may use `node:` modules in every file; elsewhere only `*.node.ts` and tests may. */
const onNode = ['store', 'trace', 'workspace', 'sandbox', 'web', 'mcp', 'runtime', 'server', 'config', 'demo', 'cli']
onNode.push('tui', 'studio')

/** Packages of others by the rooms that may import them. Tests may import every development dependency. */
const thirdParty: Readonly<Record<string, readonly string[]>> = {
  schema: ['@cfworker/json-schema'],
  model: ['gpt-tokenizer'],
  sandbox: ['quickjs-emscripten'],
  web: ['@mozilla/readability', 'linkedom', 'turndown'],
  mcp: ['@modelcontextprotocol/client'],
  server: ['@hono/node-server', '@modelcontextprotocol/server', 'hono', 'ws', 'zod'],
  config: ['zod'],
  tui: ['@earendil-works/pi-tui'],
  cli: ['commander'],
}

/** Broken rules of the floors, one line each: direction, siblings, `node:`, third parties, doors, cycles. */
export function floorViolations(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path))
  const rules = files.flatMap((file) =>
    importsOf(file.text).flatMap((specifier) => importViolations(file, specifier, known)),
  )
  const strangers = files.filter((file) => floorOf(roomOf(file.path)) === undefined)
  return [
    ...strangers.map(
      (file) => `${file.path}: the room '${roomOf(file.path)}' stands on no floor; add it to gate/floor.ts`,
    ),
    ...rules,
    ...cycles(files).map((cycle) => `cycle: ${cycle.join(' → ')}`),
  ]
}

function importViolations(file: SourceFile, specifier: string, known: ReadonlySet<string>): string[] {
  const { path } = file
  const room = roomOf(path)
  const broken = (rule: string): string[] => [`${path}: imports '${specifier}': ${rule}`]
  if (specifier.startsWith('node:'))
    return isTest(path) || onNode.includes(room) || path.endsWith('.node.ts')
      ? []
      : broken('node: modules belong in *.node.ts files or the upper floors')
  const target = targetOf(path, specifier)
  if (target === undefined) {
    const name = /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[0] ?? specifier
    return isTest(path) || thirdParty[room]?.includes(name)
      ? []
      : broken(`${room}/ may not depend on the package ${name}`)
  }
  if (specifier.startsWith('.')) {
    if (!known.has(target)) return broken('there is no such file')
    if (posix.basename(target) === 'index.ts') return broken('nobody inside src imports a door; import the file itself')
    if (packageOf(target) !== packageOf(path)) return broken('another package is imported by its name')
  }
  if (!isTest(path) && isTest(target)) return broken('only the runner imports a test')
  return directionViolation(room, roomOf(target), isTest(path)).flatMap(broken)
}

function directionViolation(from: string, to: string, test: boolean): string[] {
  if (from === to) return []
  if (to === 'testing') return test ? [] : ['only tests import testing/']
  const [upper, lower] = [floorOf(from), floorOf(to)]
  if (upper === undefined || lower === undefined) return []
  if (upper < lower) return [`${from}/ lies below ${to}/; imports go down only`]
  if (upper === lower && upper > 0) return [`${from}/ and ${to}/ are siblings and never import each other`]
  return unseen[from]?.includes(to) ? [`${from}/ never sees ${to}/`] : []
}

/** The imported file, or for `tellurion/x` that door; undefined for a package of others. */
function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier)
  const door = /^tellurion(?:\/(.+))?$/.exec(specifier)
  return door === null ? undefined : posix.join('packages/tellurion/src', door[1] ?? '', 'index.ts')
}

const packageOf = (path: string): string => path.split('/')[1] ?? ''

/** The folder under `src`; empty for the main door. */
function roomOf(path: string): string {
  const [room, file] = path.split('/').slice(3)
  return file === undefined ? '' : (room ?? '')
}

/** A room's height; the main door stands on the agent's floor, and `testing/` sees everything up to the wire. */
function floorOf(room: string): number | undefined {
  if (room === '') return floors.findIndex((rooms) => rooms.includes('agent')) + 0.5
  if (room === 'testing') return floors.findIndex((rooms) => rooms.includes('tui')) - 0.5
  const floor = floors.findIndex((rooms) => rooms.includes(room))
  return floor === -1 ? undefined : floor
}

/** Each import cycle once, as the paths along it; imports of types count. */
function cycles(files: readonly SourceFile[]): string[][] {
  const imports = new Map(
    files.map((file) => [
      file.path,
      importsOf(file.text).flatMap((specifier) =>
        specifier.startsWith('.') ? [posix.join(posix.dirname(file.path), specifier)] : [],
      ),
    ]),
  )
  const found: string[][] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) found.push([...trail.slice(start), path])
    if (start !== -1 || done.has(path)) return
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of imports.keys()) visit(path, [])
  return found
}
