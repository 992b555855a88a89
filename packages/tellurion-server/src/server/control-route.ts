// Routes that reach into a live run: pause, resume, steer, and another try.

import type { RunResource } from 'tellurion/protocol'
import type { RunHandle } from 'tellurion/runtime'
import { operation } from './operation.ts'
import { ownRun } from './own.ts'
import { runParameters } from './run-route.ts'
import { steerRequest } from './schema-past.ts'
import { runResource } from './schema-run.ts'
import type { Call } from './setting.ts'
import { shownRun } from './show.ts'

/** Tells a run something; it is taken in at its next safe point, so the answer says how it stands before. */
async function told<Body>(
  call: Call<{ run: string }, undefined, Body>,
  tell: (run: RunHandle, body: Body) => Promise<void>,
): Promise<RunResource> {
  await ownRun(call, call.parameters.run)
  const run = call.setting.runtime.run(call.parameters.run)
  await tell(run, call.body)
  return shownRun(await run.record())
}

const parts = { parameters: runParameters, answer: runResource, status: 202 } as const

/** Pauses. */
export const pauseRun = operation('pauseRun', { ...parts, handle: (call) => told(call, (run) => run.pause()) })

/** Goes on. */
export const resumeRun = operation('resumeRun', { ...parts, handle: (call) => told(call, (run) => run.resume()) })

/** Says something in the middle of the work. */
export const steerRun = operation('steerRun', {
  ...parts,
  body: steerRequest,
  handle: (call) => told(call, (run, { input }) => run.steer(input)),
})

/** Gives another try. */
export const retryRun = operation('retryRun', { ...parts, handle: (call) => told(call, (run) => run.retry()) })
