// Routes of the past of a run: its ticks, what is different between them, and how it is gone on from them.

import { z } from 'zod'
import { Output } from 'tellurion/agent'
import type { ForkResource } from 'tellurion/protocol'
import type { RunHandle } from 'tellurion/runtime'
import { snapshot, type World } from 'tellurion/world'
import { operation } from './operation.ts'
import { ownRun } from './own.ts'
import { runParameters } from './run-route.ts'
import { pathId } from './schema-part.ts'
import {
  checkpointResource,
  differenceResource,
  editRequest,
  forkRequest,
  forkResource,
  importRequest,
  labelRequest,
  labelResource,
  regenerateRequest,
  tickResource,
  ticksResource,
  tickText,
  undoRequest,
  undoResource,
} from './schema-past.ts'
import { runResource } from './schema-run.ts'
import type { Call } from './setting.ts'
import { shownRun } from './show.ts'

const tickParameters = z.object({ run: pathId, tick: tickText })
const messageParameters = z.object({
  run: pathId,
  message: z.string().regex(/^[\w-]{1,100}$/, 'is no id of a message'),
})

/** The run of a call, when it is the caller's. */
async function runOf(call: Call<{ run: string }>): Promise<RunHandle> {
  await ownRun(call, call.parameters.run)
  return call.setting.runtime.run(call.parameters.run)
}

async function forked(run: RunHandle): Promise<ForkResource> {
  return { ...shownRun(await run.record()), outsideEffects: run.outsideEffects }
}

/** Which ticks there are. */
export const runTicks = operation('runTicks', {
  parameters: runParameters,
  answer: ticksResource,
  handle: async (call) => {
    const { firstTick } = await ownRun(call, call.parameters.run)
    const run = call.setting.runtime.run(call.parameters.run)
    return { first: firstTick, last: await run.lastTick(), labels: await run.checkpoints() }
  },
})

/** The world after a tick. */
export const runTick = operation('runTick', {
  parameters: tickParameters,
  answer: tickResource,
  handle: async (call) => {
    const world = await (await runOf(call)).at(call.parameters.tick)
    return { tick: world.header.tick, world: snapshot(world) }
  },
})

/** Names a tick. */
export const labelTick = operation('labelTick', {
  parameters: runParameters,
  body: labelRequest,
  answer: labelResource,
  status: 201,
  handle: async (call) => {
    const { label, ...options } = call.body
    const run = await runOf(call)
    return { run: run.id, label, tick: await run.checkpoint(label, options) }
  },
})

/** A tick as it goes on elsewhere. */
export const exportTick = operation('exportTick', {
  parameters: tickParameters,
  answer: checkpointResource,
  handle: async (call) => {
    const { id: run, agent, user, priority, metadata } = await ownRun(call, call.parameters.run)
    const world = await call.setting.runtime.run(run).at(call.parameters.tick)
    return { snapshot: snapshot(world), run: { id: run, agent, user, priority, metadata } }
  },
})

/** What a checkpoint asks of replies was written by whoever brings it, as what a request asks. */
function distrustOutputs(world: World): void {
  for (const [entity, [output]] of world.query(Output)) world.set(entity, Output, { ...output, bounded: true })
}

/** Goes on from a checkpoint, as a run of the one who brings it. */
export const importRun = operation('importRun', {
  body: importRequest,
  bodyLimit: 'checkpoint',
  answer: runResource,
  status: 201,
  location: 'getRun',
  handle: async ({ setting, identity, body }) => {
    const { checkpoint, session, input } = body
    const { user, tenant } = identity
    const run = await setting.runtime.restore(checkpoint, {
      user,
      edit: distrustOutputs,
      ...(tenant === undefined ? {} : { tenant }),
      ...(session === undefined ? {} : { session }),
      ...(input === undefined ? {} : { input }),
    })
    return shownRun(await run.record())
  },
})

/** What is different between two ticks. */
export const runDifference = operation('runDifference', {
  parameters: runParameters,
  query: z.strictObject({ from: tickText, to: tickText }),
  answer: differenceResource,
  handle: async (call) => (await runOf(call)).difference(call.query.from, call.query.to),
})

/** Another run that goes on from a tick. */
export const forkRun = operation('forkRun', {
  parameters: runParameters,
  body: forkRequest,
  answer: forkResource,
  status: 201,
  location: 'getRun',
  handle: async (call) => forked(await (await runOf(call)).fork(call.body)),
})

/** Puts the session back. */
export const undoRun = operation('undoRun', {
  parameters: runParameters,
  body: undoRequest,
  bodyOptional: true,
  answer: undoResource,
  handle: async (call) => (await runOf(call)).undo(call.body),
})

/** Says a message otherwise. */
export const editMessage = operation('editMessage', {
  parameters: messageParameters,
  body: editRequest,
  answer: forkResource,
  status: 201,
  location: 'getRun',
  handle: async (call) => {
    const { input, ...options } = call.body
    return forked(await (await runOf(call)).edit(call.parameters.message, input, options))
  },
})

/** Has the model answer anew. */
export const regenerateMessage = operation('regenerateMessage', {
  parameters: messageParameters,
  body: regenerateRequest,
  bodyOptional: true,
  answer: forkResource,
  status: 201,
  location: 'getRun',
  handle: async (call) => forked(await (await runOf(call)).regenerate(call.parameters.message, call.body)),
})
