// Tables of the pages that could drift from the code are held against it: vendors, kinds of failure, components, systems,
// doors, dependencies, examples, and the list of pages itself.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { blocksOf } from '../gate/doc-code.ts'
import { doors } from '../gate/door.ts'
import { filesOf, root } from '../gate/source.ts'
import { TellurionError, type ErrorCode } from '../packages/tellurion/src/index.ts'
import * as agent from '../packages/tellurion/src/agent/index.ts'
import { recoveryGuidance, vendors, type ModelErrorKind, type Vendor } from '../packages/tellurion/src/model/index.ts'
import { memoryKeyValue } from '../packages/tellurion/src/port/memory-key-value.ts'
import { foreignComponents } from '../packages/tellurion/src/runtime/foreign-component.ts'
import { mayBecome, type RunStatus } from '../packages/tellurion/src/runtime/run.ts'
import { Failure, Halted, Terminal, Wait, type System } from '../packages/tellurion/src/world/index.ts'

/** The cells of each table row of a page, without backticks and links' targets. */
function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^\|(.+)\|$/gm)].map(([, row = '']) =>
    row.split('|').map((cell) =>
      cell
        .replaceAll('`', '')
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .trim(),
    ),
  )
}

/** The wanted rows that a page does not have; a row may have more cells than are wanted. */
function missing(text: string, wanted: readonly (readonly string[])[]): string[] {
  const rows = rowsOf(text).map((row) => row.join(' | '))
  return wanted
    .map((cells) => cells.join(' | '))
    .filter((row) => !rows.some((found) => found === row || found.startsWith(`${row} | `)))
}

const pageText = (path: string): string => readFileSync(join(root, path), 'utf8')
const list = (names: readonly string[]): string => (names.length === 0 ? '–' : names.join(', '))

const vendorRows = Object.entries<Vendor>(vendors).map(([name, vendor]) => [
  name,
  vendor.wire,
  vendor.baseURL ?? 'yours',
  `${list(vendor.keyNames)}${vendor.needsKey ? '' : ' (optional)'}`,
  list(vendor.baseURLNames),
  list(vendor.modelNames),
  vendor.defaultModel ?? '–',
])

const kinds = [
  'network',
  'timeout',
  'rate_limit',
  'validation',
  'permission',
  'authentication',
  'service',
  'not_found',
  'unknown',
] as const satisfies readonly ModelErrorKind[]

const components = [...agent.agentComponents, ...foreignComponents, agent.Handoff, Failure, Halted, Terminal, Wait]
/** The pages that the reference has, and whether they hold code: two are lists of what is shown or named elsewhere. */
const referencePages: Readonly<Record<string, boolean>> = {
  'getting-started.md': true,
  'architecture.md': true,
  'core-concepts.md': true,
  'components.md': true,
  'systems.md': true,
  'models.md': true,
  'api.md': false,
  'examples.md': false,
  'streaming.md': true,
  'retry.md': true,
  'serialization.md': true,
  'logging.md': true,
  'structured-output.md': true,
  'context-management.md': true,
  'tool-approval.md': true,
  'user-input.md': true,
}

const isSystem = (thing: unknown): thing is System =>
  typeof thing === 'object' && thing !== null && 'priority' in thing && 'query' in thing

const facts = agent.createFacts(memoryKeyValue())
const systems: readonly System[] = [
  ...Object.values<unknown>(agent).filter(isSystem),
  agent.reflection(),
  agent.factRecall(facts),
  agent.factExtraction(facts),
]

describe('pages agree with the code', () => {
  test('docs/models.md has a row for each vendor, and no other', () => {
    const text = pageText('docs/models.md')
    assert.deepEqual(missing(text, vendorRows), [])
    const named = rowsOf(text).filter((row) => row.length === vendorRows[0]?.length && row[0] !== 'Vendor')
    assert.equal(named.filter((row) => !row[0]?.startsWith('--')).length, vendorRows.length)
  })

  test('docs/retry.md says of each kind of failure what helps', () => {
    const rows = rowsOf(pageText('docs/retry.md'))
    for (const kind of kinds) {
      const code = `model_${kind}` satisfies ErrorCode
      const row = rows.find((cells) => cells[0] === kind && cells.length === 5)
      const retryable = new TellurionError(code, '').retryable ? 'yes' : ''
      assert.deepEqual(row?.slice(2), [code, retryable, recoveryGuidance(kind).replaceAll('`', '')])
    }
  })

  test('docs/components.md has each component with its kind, and no other', () => {
    const rows = rowsOf(pageText('docs/components.md')).map((row) => (row.length === 6 ? row.slice(1) : row))
    const documented = rows.filter(([, kind]) => kind === 'value' || kind === 'log').map(([name, kind]) => [name, kind])
    const declared = components.map(({ name, kind }) => [name, kind])
    assert.deepEqual(documented.toSorted(), declared.toSorted())
  })

  test('docs/components.md maps all 24 names of the reference', () => {
    const names = rowsOf(pageText('docs/components.md')).flatMap(([name = '']) =>
      name.endsWith('Component') ? [name] : [],
    )
    assert.equal(new Set(names).size, 24)
  })

  test('docs/systems.md gives the contract of each system', () => {
    const names = (of: readonly { readonly name: string }[]): string => of.map(({ name }) => name).join(', ')
    const contracts = systems.map((system) => [
      system.name,
      String(system.priority),
      system.run === undefined ? names(system.query) : 'the whole world',
      names(system.without),
    ])
    assert.ok(systems.length >= 22)
    assert.deepEqual(missing(pageText('docs/systems.md'), contracts), [])
  })

  test('README.md names each door and each runtime dependency', () => {
    const text = pageText('README.md')
    const dependencies = ['tellurion', 'tellurion-server'].flatMap((name) => {
      const manifest = JSON.parse(pageText(`packages/${name}/package.json`)) as { dependencies?: object }
      return Object.keys(manifest.dependencies ?? {}).filter((dependency) => dependency !== 'tellurion')
    })
    const wanted = [...doors().map((door) => door.specifier), ...dependencies].map((name) => [name])
    assert.deepEqual(missing(text, wanted), [])
  })

  test('docs/examples.md lists each example with the features that it names', () => {
    const examples = filesOf('examples/**/*.ts')
    const listed = rowsOf(pageText('docs/examples.md')).filter(([name]) => name?.endsWith('.ts'))
    assert.deepEqual(
      listed.map(([name, , features]) => [`examples/${name}`, features]).toSorted(),
      examples.map(({ path, text }) => [path, /^\/\/ .*\(([A-Z]+-[^)]*)\)$/m.exec(text)?.[1]]).toSorted(),
    )
  })

  test('docs/examples.md says which examples ask the model of the environment, or one vendor', () => {
    const sections = pageText('docs/examples.md').split('\n## ')
    const listed = (title: string): string[] =>
      rowsOf(sections.find((section) => section.startsWith(title)) ?? '')
        .flatMap(([name]) => (name?.endsWith('.ts') ? [`examples/${name}`] : []))
        .toSorted()
    const saying = (what: string): string[] =>
      filesOf('examples/**/*.ts').flatMap(({ path, text }) => (text.includes(what) ? [path] : []))
    assert.deepEqual(listed('With your model, or a script'), saying('modelFromEnv()').toSorted())
    assert.deepEqual(listed('With one vendor'), saying('\n// needs: ').toSorted())
  })

  test('docs/runs.md says which status may follow which', () => {
    const statuses = [
      'queued',
      'running',
      'waiting',
      'paused',
      'succeeded',
      'failed',
      'cancelled',
      'timed_out',
    ] as const
    const rows = rowsOf(pageText('docs/runs.md')).filter(([name]) => statuses.some((status) => status === name))
    const next = (from: RunStatus): string => list(statuses.filter((to) => mayBecome(from, to)))
    assert.deepEqual(
      rows.map(([name, , follows]) => [name, follows]),
      statuses.map((status) => [status, next(status)]),
    )
  })

  test('docs/architecture.md has each room of the house', () => {
    const ground = rowsOf(pageText('docs/architecture.md')).flatMap(([name]) => name?.split(', ') ?? [])
    const figure = /^ 0 ground +(.+)$/m.exec(pageText('docs/architecture.md'))?.[1]?.split(' · ') ?? []
    const rooms = filesOf('packages/*/src/*/**/*.ts').map(({ path }) => path.split('/')[3] ?? '')
    assert.deepEqual(
      [...new Set(rooms)].filter((room) => !ground.includes(room) && !figure.includes(room)),
      [],
    )
  })

  test('the 16 pages of the reference are there, and their code runs', () => {
    const links = pageText('docs/README.md')
    for (const [page, codeRuns] of Object.entries(referencePages)) {
      assert.ok(links.includes(`](${page})`), `docs/README.md does not link to ${page}`)
      const runs = blocksOf({ path: page, text: pageText(`docs/${page}`) }).some(({ use }) => use === 'run')
      assert.equal(runs, codeRuns, page)
    }
    assert.equal(Object.keys(referencePages).length, 16)
  })

  test('docs/README.md links to each page', () => {
    const linked = [...pageText('docs/README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, page]) => page)
    const pages = filesOf('docs/*.md').map(({ path }) => basename(path))
    assert.deepEqual(linked.toSorted(), pages.filter((page) => page !== 'README.md').toSorted())
  })
})

describe('the check of tables has teeth', () => {
  const text = '| Name | Kind |\n| --- | --- |\n| `LLM` | value | x |\n| [Plan](a.md) | log |\n'

  test('cells are read without their marks', () => {
    assert.deepEqual(rowsOf(text).slice(2), [
      ['LLM', 'value', 'x'],
      ['Plan', 'log'],
    ])
  })

  test('a row that is missing, wrong or a mere beginning is found', () => {
    assert.deepEqual(missing(text, [['LLM', 'value'], ['Plan'], ['LLM', 'log'], ['Plan', 'lo'], ['Owner']]), [
      'LLM | log',
      'Plan | lo',
      'Owner',
    ])
  })
})
