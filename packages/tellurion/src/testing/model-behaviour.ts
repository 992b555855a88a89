// What every model does, whatever is behind it: one list of behaviours, to be run against each kind of model. Each is a
// name and a function that rejects when the model does otherwise; a test file registers them.

import { sleep } from '../clock/clock.ts'
import type { Message } from '../message/message.ts'
import { collect, complete } from '../model/collect.ts'
import type { Model, ModelEvent, ModelReply } from '../port/model.ts'
import { scriptedUsage, type WireScript } from './wire-script.ts'

/** A model that is connected to a scripted provider. */
export interface OpenModel {
  readonly model: Model
  /** How many requests have reached the provider. */
  requests(): number
  /** Resolves when the model has left a connection before its answer was whole. */
  readonly disconnected: Promise<void>
  close(): Promise<void>
}

/** One kind of model, to be opened anew for each behaviour. */
export interface ModelUnderTest {
  readonly name: string
  open(script: WireScript): Promise<OpenModel>
  /** Behaviours that this kind cannot show, and why. */
  readonly skip?: Readonly<Record<string, string>>
}

/** One case, ready to be registered: `test(name, { skip }, run)`. */
export interface Behaviour {
  readonly name: string
  readonly skip?: string
  run(): Promise<void>
}

type Check = (open: OpenModel) => Promise<void>

const request = { messages: [{ role: 'user', content: 'Hello' }] as readonly Message[] }
const finish = { finish: 'stop' } as const

/** The behaviours of one kind of model. */
export function modelBehaviours(subject: ModelUnderTest): Behaviour[] {
  return Object.entries(behaviours).map(([name, [script, check]]) => {
    const skip = subject.skip?.[name]
    return {
      name: `${subject.name}: ${name}`,
      ...(skip === undefined ? {} : { skip }),
      async run() {
        const open = await subject.open(typeof script === 'function' ? script() : script)
        try {
          await check(open)
        } finally {
          await open.close()
        }
      },
    }
  })
}

const difficult = 'é 漢字 👩‍👩‍👧 \u{1F600} "quoted" \\ tab\t line\n end'
const argumentsText = '{"a":"\\ud83d\\ude00 \\u00e9 \\" \\\\","b":"😀漢","c":[1,-2.5e3,true,null,{}]}'

const behaviours: Readonly<Record<string, readonly [WireScript | (() => WireScript), Check]>> = {
  'gives text in order, then the finish with the usage': [
    { steps: [{ text: 'Hel' }, { text: 'lo' }, finish] },
    async ({ model }) => {
      const reply = finished(await complete(model, request))
      same(reply.message, { role: 'assistant', content: 'Hello' }, 'message')
      same(reply.finishReason, 'stop', 'finish reason')
      const { inputTokens, outputTokens, totalTokens } = reply.usage
      same({ inputTokens, outputTokens, totalTokens }, scriptedUsage, 'usage')
    },
  ],
  'sends nothing before the first event is asked for': [
    { steps: [finish] },
    async ({ model, requests }) => {
      const stream = model.stream(request, {})
      await new Promise<void>((resolve) => queueMicrotask(resolve))
      same(requests(), 0, 'requests before')
      finished(await collect(stream))
      same(requests(), 1, 'requests after')
    },
  ],
  'ends with exactly one last event': [
    { steps: [{ text: 'a' }, finish] },
    async ({ model }) => {
      const types: string[] = []
      for await (const event of model.stream(request, {})) types.push(event.type)
      same(types.filter(isLast), ['finish'], 'last events')
      same(types.at(-1), 'finish', 'last event')
    },
  ],
  'an abort before the call sends nothing': [
    { steps: [finish] },
    async ({ model, requests }) => {
      const events = await all(model, AbortSignal.abort())
      same(events, [{ type: 'aborted' }], 'events')
      same(requests(), 0, 'requests')
    },
  ],
  'an abort while connecting ends at once and frees the connection': [
    { ending: 'mute' },
    async ({ model, requests, disconnected }) => {
      const controller = new AbortController()
      const events = all(model, controller.signal)
      while (requests() === 0) await sleep(1)
      controller.abort()
      same(await events, [{ type: 'aborted' }], 'events')
      await disconnected
    },
  ],
  'an abort in mid-stream ends at once, keeps what came and frees the connection': [
    { steps: [{ text: 'half a ' }], ending: 'hang' },
    async ({ model, disconnected }) => {
      const controller = new AbortController()
      const reply = await collect(model.stream(request, { signal: controller.signal }), (event) => {
        if (event.type === 'text.delta') controller.abort()
      })
      same(reply, { status: 'aborted', message: { role: 'assistant', content: 'half a ', partial: true } }, 'reply')
      await disconnected
    },
  ],
  'leaving the loop early cancels the request': [
    { steps: [{ text: 'one' }], ending: 'hang' },
    async ({ model, disconnected }) => {
      for await (const event of model.stream(request, {})) if (event.type === 'text.delta') break
      await disconnected
    },
  ],
  'an empty reply is a reply': [
    { steps: [finish] },
    async ({ model }) => same(finished(await complete(model, request)).message.content, '', 'content'),
  ],
  'Unicode survives however the network cuts it': [
    { steps: [{ text: difficult }, { text: difficult }, finish], delivery: 'bytes' },
    async ({ model }) => {
      same(finished(await complete(model, request)).message.content, difficult + difficult, 'content')
    },
  ],
  'a reply that ends on its length says so': [
    { steps: [{ text: 'and then' }, { finish: 'length' }] },
    async ({ model }) => same(finished(await complete(model, request)).finishReason, 'length', 'finish reason'),
  ],
  'reasoning comes before the text it led to': [
    { steps: [{ reasoning: 'Hm' }, { text: 'Yes' }, finish] },
    async ({ model }) => {
      const { content } = finished(await complete(model, request)).message
      const parts = typeof content === 'string' ? [] : content.map((part) => [part.type, 'text' in part && part.text])
      const expected = [
        ['reasoning', 'Hm'],
        ['text', 'Yes'],
      ]
      same(parts, expected, 'parts')
    },
  ],
  'tool arguments that come one by one are joined exactly, and the call comes once': [
    {
      steps: [
        {
          call: {
            id: 'call_a',
            name: 'look',
            pieces: Array.from({ length: argumentsText.length }, (_, at) => argumentsText[at] ?? ''),
          },
        },
        { finish: 'tool-calls' },
      ],
    },
    async ({ model }) => {
      const events = await all(model)
      const calls = events.filter((event) => event.type === 'tool.call').map(({ call }) => call)
      same(calls.length, 1, 'number of calls')
      same(calls[0]?.input, JSON.parse(argumentsText), 'arguments')
      same([calls[0]?.toolCallId, calls[0]?.toolName], ['call_a', 'look'], 'id and name')
      const last = events.at(-1)
      same(last?.type === 'finish' && last.finishReason, 'tool-calls', 'finish reason')
    },
  ],
  'several calls keep their order': [
    {
      steps: [
        { text: 'Looking.' },
        { call: { id: 'call_a', name: 'look', pieces: ['{"n":', '1}'] } },
        { call: { id: 'call_b', name: 'listen', pieces: ['{"n":2}'] } },
        { finish: 'tool-calls' },
      ],
    },
    async ({ model }) => {
      const { content } = finished(await complete(model, request)).message
      const calls = typeof content === 'string' ? [] : content.filter((part) => part.type === 'tool-call')
      same(
        calls.map((call) => [call.toolCallId, call.toolName, call.input]),
        [
          ['call_a', 'look', { n: 1 }],
          ['call_b', 'listen', { n: 2 }],
        ],
        'calls',
      )
    },
  ],
  'a call without arguments has none': [
    { steps: [{ call: { id: 'call_a', name: 'look', pieces: [] } }, { finish: 'tool-calls' }] },
    async ({ model }) => same(callsIn(await complete(model, request))[0]?.input, {}, 'arguments'),
  ],
  'arguments that are not JSON are kept as text, never as input': [
    { steps: [{ call: { id: 'call_a', name: 'look', pieces: ['{"n": ', 'oops'] } }, { finish: 'tool-calls' }] },
    async ({ model }) => {
      const call = callsIn(await complete(model, request))[0]
      same([call?.input, call?.invalidInput], [null, '{"n": oops'], 'arguments')
    },
  ],
  'an error after a complete call leaves no call': [
    { steps: [{ text: 'I will ' }, { call: { id: 'call_a', name: 'look', pieces: ['{}'] } }, { error: 'Overloaded' }] },
    async ({ model }) => {
      const reply = failed(await complete(model, request))
      same([reply.failure.kind, reply.failure.retryable], ['service', true], 'failure')
      same(reply.message, { role: 'assistant', content: 'I will ', partial: true }, 'partial message')
    },
  ],
  'an error in mid-stream is a failure with what came': [
    { steps: [{ text: 'I was ' }, { error: 'Overloaded' }] },
    async ({ model }) => {
      const reply = failed(await complete(model, request))
      same(reply.failure.kind, 'service', 'kind')
      same(reply.message?.content, 'I was ', 'partial text')
    },
  ],
  'a stream that is cut is a network failure with what came': [
    { steps: [{ text: 'I was ' }], ending: 'cut' },
    async ({ model }) => {
      const reply = failed(await complete(model, request))
      same([reply.failure.kind, reply.failure.retryable], ['network', true], 'failure')
      same(reply.message?.content, 'I was ', 'partial text')
    },
  ],
  'a stream that just stops is not taken for a whole reply': [
    { steps: [{ text: 'I was ' }] },
    async ({ model }) => {
      const reply = failed(await complete(model, request))
      same([reply.failure.kind, reply.message?.content], ['network', 'I was '], 'failure')
    },
  ],
  'a page of HTML with status 200 is an invalid reply': [
    { body: '<!doctype html><html><title>Sign in</title></html>' },
    async ({ model }) => {
      const reply = failed(await complete(model, request))
      same([reply.failure.code, reply.message], ['invalid_reply', undefined], 'failure')
    },
  ],
  '429 with Retry-After in seconds': [
    { status: 429, headers: { 'retry-after': '7' } },
    async ({ model }) => {
      const { failure } = failed(await complete(model, request))
      same([failure.kind, failure.retryable, failure.retryAfter], ['rate_limit', true, 7_000], 'failure')
    },
  ],
  '429 with Retry-After as a date': [
    () => ({ status: 429, headers: { 'retry-after': new Date(new Date().getTime() + 60_000).toUTCString() } }),
    async ({ model }) => {
      const { retryAfter = 0 } = failed(await complete(model, request)).failure
      same(retryAfter > 30_000 && retryAfter <= 60_000, true, `a wait of about a minute (got ${retryAfter})`)
    },
  ],
  'a conversation that is too long is a context overflow': [
    { overflow: true },
    async ({ model }) => {
      const { failure } = failed(await complete(model, request))
      same([failure.code, failure.retryable], ['context_overflow', false], 'failure')
    },
  ],
  'a refused connection is a network failure': [
    { refuse: true },
    async ({ model }) => {
      const { failure } = failed(await complete(model, request))
      same([failure.kind, failure.retryable], ['network', true], 'failure')
    },
  ],
  ...Object.fromEntries(
    (
      [
        [400, 'validation', false],
        [401, 'authentication', false],
        [403, 'permission', false],
        [404, 'not_found', false],
        [500, 'service', true],
        [503, 'service', true],
        [529, 'service', true],
      ] as const
    ).map(([status, kind, retryable]) => [
      `HTTP ${status} is ${kind}`,
      [
        { status },
        async ({ model, requests }: OpenModel) => {
          const { failure, message } = failed(await complete(model, request))
          same(
            [failure.kind, failure.status, failure.retryable, message],
            [kind, status, retryable, undefined],
            'failure',
          )
          same(requests(), 1, 'requests')
        },
      ] as const,
    ]),
  ),
}

function isLast(type: string): boolean {
  return type === 'finish' || type === 'error' || type === 'aborted'
}

async function all(model: Model, signal?: AbortSignal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of model.stream(request, { signal })) events.push(event)
  return events
}

function finished(reply: ModelReply): Extract<ModelReply, { status: 'finished' }> {
  if (reply.status === 'finished') return reply
  throw new Error(`the reply is ${reply.status}: ${reply.status === 'failed' ? JSON.stringify(reply.failure) : ''}`)
}

function failed(reply: ModelReply): Extract<ModelReply, { status: 'failed' }> {
  if (reply.status === 'failed') return reply
  throw new Error(`the reply is ${reply.status}, not failed`)
}

function callsIn(reply: ModelReply) {
  const { content } = finished(reply).message
  return typeof content === 'string' ? [] : content.filter((part) => part.type === 'tool-call')
}

function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [stable(actual), stable(expected)]
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`)
}

/** JSON with sorted keys: equality of plain data. */
function stable(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (Array.isArray(value)) return `[${value.map(stable).join(',')}]`
  const fields = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{${fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${key}:${stable(item)}`)
    .join(',')}}`
}
