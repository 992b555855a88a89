// Every operation by its route.

import type { RouteName } from 'tellurion/protocol'
import type { Operation } from './operation.ts'
import * as operation from './operation-route.ts'
import * as run from './run-route.ts'
import * as stream from './stream-route.ts'

const all: readonly Operation[] = [
  operation.health,
  operation.apiHealth,
  run.createRun,
  run.listRuns,
  run.getRun,
  stream.socket,
]

/** The operations. */
export const operations: Readonly<Partial<Record<RouteName, Operation>>> = Object.fromEntries(
  all.map((each) => [each.name, each]),
)
