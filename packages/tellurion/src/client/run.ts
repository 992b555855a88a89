// Runs on a server: made, watched, steered, gone back in. A run is named by its id in every call.

import { TellurionError } from '../error/error.ts'
import type { UserInput } from '../message/message.ts'
import type {
  EditRequest,
  ForkRequest,
  ImportRequest,
  LabelRequest,
  NewRunRequest,
  RegenerateRequest,
  RunQuery,
  UndoRequest,
} from '../protocol/request.ts'
import type {
  CheckpointResource,
  DifferenceResource,
  EventResource,
  ForkResource,
  LabelResource,
  MessageResource,
  RunResource,
  TickResource,
  TicksResource,
  TurnResource,
  UndoResource,
} from '../protocol/resource.ts'
import type { RouteName } from '../protocol/route.ts'
import type { RetryPolicy } from '../retry/backoff.ts'
import type { Caller, CallOptions } from './caller.ts'
import { readEvents } from './event-reading.ts'
import { pagesOf, type Pages } from './pages.ts'
import { untilSettled } from './settled.ts'
import { startedTurn, type MakeOptions, type OpenedWatch, type RemoteTurn, type WatchOptions } from './turn.ts'

/**
 * Runs. Everything rejects with a `TellurionError` that carries the server's code, or with the signal's reason. What the
 * names do not say stands at `tellurion/runtime`.
 */
export interface RemoteRuns {
  /** Accepts a run: when this resolves it is kept. It is tried again under its key when no answer comes. */
  create(request: NewRunRequest, options?: MakeOptions): Promise<RunResource>
  /** Makes a run that is watched from its first moment: no piece of its text is missed. */
  start(request: NewRunRequest, options?: MakeOptions): RemoteTurn
  /** Runs, newest first. */
  list(query?: RunQuery, options?: CallOptions): Pages<RunResource>
  get(run: string, options?: CallOptions): Promise<RunResource>
  /**
   * The events of a run from its beginning, or after a number, then live ones, to the end of the run. A connection that
   * breaks is made anew from the last number: kept events (those with `seq`) come once, in order, without gaps; live ones
   * may miss. Throws `events_dropped` for a past that is not kept any more.
   */
  events(run: string, options?: WatchOptions): AsyncGenerator<EventResource, void>
  /** How a run ended, or that it waits for a person. Rejects with the run's error when it failed; `error.result` has the rest. */
  result(run: string, options?: CallOptions): Promise<TurnResource>
  /** What was said in a run, with the ids under which it can be edited and regenerated. */
  messages(run: string, options?: CallOptions): Pages<MessageResource>
  /** Resolves when the work of the run has stopped. */
  cancel(run: string, options?: CallOptions): Promise<RunResource>
  pause(run: string, options?: CallOptions): Promise<RunResource>
  resume(run: string, options?: CallOptions): Promise<RunResource>
  retry(run: string, options?: CallOptions): Promise<RunResource>
  steer(run: string, input: UserInput, options?: CallOptions): Promise<RunResource>
  fork(run: string, request: ForkRequest, options?: CallOptions): Promise<ForkResource>
  undo(run: string, request?: UndoRequest, options?: CallOptions): Promise<UndoResource>
  edit(run: string, message: string, request: EditRequest & CallOptions): Promise<ForkResource>
  regenerate(run: string, message: string, request?: RegenerateRequest & CallOptions): Promise<ForkResource>
  /** The world after a tick, by its number or label. */
  tick(run: string, tick: number | string, options?: CallOptions): Promise<TickResource>
  /** Which ticks there are, and their labels. */
  ticks(run: string, options?: CallOptions): Promise<TicksResource>
  label(run: string, request: LabelRequest, options?: CallOptions): Promise<LabelResource>
  difference(run: string, between: Ticks, options?: CallOptions): Promise<DifferenceResource>
  /** The world after a tick or label, by default the newest, for `import` here or elsewhere. */
  export(run: string, options?: CallOptions & { readonly tick?: number | string }): Promise<CheckpointResource>
  import(request: ImportRequest, options?: CallOptions): Promise<RunResource>
}

/** Two ticks of one run, by number or label. */
export interface Ticks {
  readonly from: number | string
  readonly to: number | string
}

/** Milliseconds that one question for a result is held, and may take. */
const wait = 25_000

/** Makes the part of a client that is about runs. `reconnect` is the patience of those who watch. */
export function remoteRuns(caller: Caller, reconnect: RetryPolicy): RemoteRuns {
  const told = <Name extends RouteName>(name: Name, run: string, options: CallOptions = {}) =>
    caller.call(name, { parameters: { run }, ...options })

  const result = async (run: string, { signal }: CallOptions = {}): Promise<TurnResource> => {
    for (;;) {
      const asked = { parameters: { run }, query: { wait }, policy: reconnect, signal }
      const turn = await caller.call('runResult', asked)
      if (turn.status === 'running') continue
      if (turn.status !== 'failed') return turn
      const lost = { code: 'run_failed', message: `Run ${run} failed.`, retryable: false } as const
      throw Object.assign(TellurionError.from(turn.error ?? lost), { result: turn })
    }
  }

  const get = (run: string, options?: CallOptions): Promise<RunResource> => told('getRun', run, options)

  const watch = (
    run: string,
    { until = 'ended', ...options }: OpenedWatch = {},
  ): AsyncGenerator<EventResource, void> => {
    const read = (signal: AbortSignal | undefined): AsyncGenerator<EventResource, void> =>
      readEvents(caller, run, { ...options, signal, policy: reconnect })
    if (until === 'ended') return read(options.signal)
    const settled = async (seen: number, signal: AbortSignal): Promise<boolean> => {
      const { status } = await result(run, { signal })
      return status === 'waiting' && (await get(run, { signal })).events <= seen
    }
    return untilSettled({ ...options, read, settled })
  }

  return {
    create: (body, { key = caller.ids('key'), signal } = {}) => caller.call('createRun', { body, key, signal }),
    list: (query = {}, { signal } = {}) =>
      pagesOf((cursor = query.cursor) => caller.call('listRuns', { query: { ...query, cursor }, signal })),
    get,
    events: watch,
    start: (request, options) => startedTurn(request, options, { caller, watch, result, get }),
    result,
    messages: (run, { signal } = {}) =>
      pagesOf((cursor) => caller.call('runMessages', { parameters: { run }, query: { cursor }, signal })),
    cancel: (run, { signal } = {}) => caller.call('cancelRun', { parameters: { run }, repeatable: true, signal }),
    pause: (run, { signal } = {}) => caller.call('pauseRun', { parameters: { run }, repeatable: true, signal }),
    resume: (run, { signal } = {}) => caller.call('resumeRun', { parameters: { run }, repeatable: true, signal }),
    retry: (run, options) => told('retryRun', run, options),
    steer: (run, input, { signal } = {}) => caller.call('steerRun', { parameters: { run }, body: { input }, signal }),
    fork: (run, body, { signal } = {}) => caller.call('forkRun', { parameters: { run }, body, signal }),
    undo: (run, body = {}, { signal } = {}) => caller.call('undoRun', { parameters: { run }, body, signal }),
    edit: (run, message, { signal, ...body }) =>
      caller.call('editMessage', { parameters: { run, message }, body, signal }),
    regenerate: (run, message, { signal, ...body } = {}) =>
      caller.call('regenerateMessage', { parameters: { run, message }, body, signal }),
    tick: (run, tick, { signal } = {}) => caller.call('runTick', { parameters: { run, tick }, signal }),
    ticks: (run, options) => told('runTicks', run, options),
    label: (run, body, { signal } = {}) =>
      caller.call('labelTick', { parameters: { run }, body, repeatable: true, signal }),
    difference: (run, { from, to }, { signal } = {}) =>
      caller.call('runDifference', { parameters: { run }, query: { from, to }, signal }),
    async export(run, { tick, signal } = {}) {
      const newest = tick ?? (await told('runTicks', run, { signal })).last
      return caller.call('exportTick', { parameters: { run, tick: newest }, signal })
    },
    import: (body, { signal } = {}) => caller.call('importRun', { body, signal }),
  }
}
