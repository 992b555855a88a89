// The laws of the house, on the project and on made-up violations: each rule must catch the tree that breaks it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { floorViolations } from '../gate/floor.ts'
import { namingViolations } from '../gate/naming.ts'
import { allSource, importsOf, packageSource } from '../gate/source.ts'

describe('the house', () => {
  test('keeps its floors', () => {
    const files = packageSource()
    assert.ok(files.length > 10, 'the source was not found')
    assert.deepEqual(floorViolations(files), [])
  })

  test('keeps its names, sizes and openings', () => {
    assert.deepEqual(namingViolations(allSource()), [])
  })
})

const at = (path: string, ...lines: string[]) => ({
  path: `packages/${path}`,
  text: ['// A noun.', '', ...lines, ''].join('\n'),
})
const library = (path: string, ...lines: string[]) => at(`tellurion/src/${path}`, ...lines)
const ground = library('error/error.ts', 'export const x = 1')

const brokenFloors: readonly [rule: RegExp, ...files: ReturnType<typeof at>[]][] = [
  [/imports go down only/, library('error/a.ts', "import type { W } from '../world/w.ts'"), library('world/w.ts')],
  [/are siblings/, library('model/a.ts', "import { w } from '../world/w.ts'"), library('world/w.ts')],
  [/are siblings/, at('tellurion-server/src/server/a.ts', "import type { c } from 'tellurion/client'")],
  [/agent\/ never sees store/, library('agent/a.ts', "export * from '../store/s.ts'"), library('store/s.ts')],
  [/agent\/ lies below runtime/, library('agent/a.ts', "import '../runtime/r.ts'"), library('runtime/r.ts')],
  [/only tests import testing/, library('agent/a.ts', "import { t } from '../testing/t.ts'"), library('testing/t.ts')],
  [/only tests import testing/, at('tellurion-server/src/cli/a.ts', "import { t } from 'tellurion/testing'")],
  [/lies below tui/, library('testing/t.ts', "import { a } from '../tui/a.ts'"), library('tui/a.ts')],
  [/node: modules belong/, library('model/a.ts', "import { join } from 'node:path'")],
  [/node: modules belong/, library('world/a.ts', "const fs = await import('node:fs')")],
  [/may not depend on the package zod/, library('model/a.ts', "import type { z } from 'zod/v4'")],
  [/may not depend on the package @a\/b/, library('world/a.ts', "type T = import('@a/b/c').T")],
  [
    /nobody inside src imports a door/,
    library('agent/a.ts', "import { e } from '../error/index.ts'"),
    library('error/index.ts'),
  ],
  [
    /by its name/,
    at('tellurion-server/src/cli/a.ts', "import { x } from '../../../tellurion/src/error/error.ts'"),
    ground,
  ],
  [
    /only the runner imports a test/,
    library('error/a.ts', "import { t } from './t.test.ts'"),
    library('error/t.test.ts'),
  ],
  [/no such file/, library('error/a.ts', "import { x } from './b.ts'")],
  [/stands on no floor/, library('attic/a.ts')],
  [
    /cycle: .*a\.ts → .*b\.ts → .*a\.ts/,
    library('id/a.ts', "import './b.ts'"),
    library('id/b.ts', "import type { a } from './a.ts'"),
  ],
]

const brokenNames: readonly [rule: RegExp, path: string, text: string][] = [
  [/'utils' names nothing/, 'world/utils.ts', '// X.\n\n'],
  [/'helper' names nothing/, 'world/query-helper.ts', '// X.\n\n'],
  [/'common' names nothing/, 'common/query.ts', '// X.\n\n'],
  [/'part2' is no noun/, 'world/query-part2.ts', '// X.\n\n'],
  [/not kebab-case/, 'world/liveQuery.ts', '// X.\n\n'],
  [/not a singular noun/, 'models/query.ts', '// X.\n\n'],
  [/401 lines, 400 is the end/, 'world/query.ts', `// X.\n${'\n'.repeat(400)}`],
  [/601 lines, 600 is the end/, 'world/query.test.ts', `// X.\n${'\n'.repeat(600)}`],
  [/does not open with a comment/, 'world/query.ts', "import './a.ts'\n"],
  [/opens with 4 comment lines/, 'world/query.ts', '// 1\n// 2\n// 3\n// 4\n\n'],
  [/no empty line/, 'world/query.ts', '// X.\nexport const x = 1\n'],
  [/'IQuery' carries/, 'world/query.ts', '// X.\n\nexport interface IQuery {}\n'],
  [/'QueryManager' carries/, 'world/query.ts', '// X.\n\nexport abstract class QueryManager {}\n'],
  [/'BaseQuery' carries/, 'world/query.ts', '// X.\n\nexport type BaseQuery = 1\n'],
]

describe('the laws have teeth', () => {
  for (const [rule, ...files] of brokenFloors)
    test(`${rule.source} in ${files[0]?.path}`, () => {
      const found = floorViolations(files)
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0] ?? '', rule)
    })

  for (const [rule, path, text] of brokenNames)
    test(`${rule.source} in ${path}`, () => {
      const found = namingViolations([{ path: `packages/tellurion/src/${path}`, text }])
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0] ?? '', rule)
    })

  test('what is allowed is let through', () => {
    const files = [
      ground,
      library('world/w.ts', "import { x } from '../error/error.ts'"),
      library(
        'world/w.test.ts',
        "import 'node:test'",
        "import fc from 'fast-check'",
        "import { t } from '../testing/t.ts'",
      ),
      library('testing/t.ts', "import { w } from '../world/w.ts'"),
      library('schema/t.node.ts', "import 'node:fs'", "import { x } from '@cfworker/json-schema'"),
      library('index.ts', "export { w } from './world/w.ts'"),
      at('tellurion-server/src/server/a.ts', "import { w } from 'tellurion'"),
      at('tellurion-server/src/cli/main.ts', "import { a } from 'tellurion/agent'", "import 'node:fs'"),
    ]
    assert.deepEqual([...floorViolations(files), ...namingViolations(files)], [])
  })

  test('every form of import is seen, comments are not', () => {
    const text = [
      "import a from 'a'",
      "import b, { type B } from 'b'",
      "import {\n  c,\n  type D,\n} from 'c'",
      "import type * as d from 'd'",
      "export * from 'e'",
      "export * as f from 'f'",
      "export { g } from 'g'",
      "import 'h'",
      "const i = () => import('i')",
      "/** import('no') */",
      "// import no from 'no'",
      " * export { no } from 'no'",
    ].join('\n')
    assert.deepEqual(importsOf(text).toSorted(), ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
  })
})
