// The floors of everything that loops over a model: `loop`, the bare loop, and `honest`, the loop plus what a real
// runtime must do: validate arguments, check the abort, keep an ordered event log with a live subscriber, count usage.

import type { Message } from 'tellurion'
import type { Model, ModelEvent, Usage } from 'tellurion/model'
import { z } from 'zod'

type ToolCallPart = Extract<ModelEvent, { type: 'tool.call' }>['call']

/** What the floors know of a tool. */
export interface FloorTool {
  readonly schema: z.ZodType
  readonly execute: (input: never) => unknown
}

export type FloorTools = Readonly<Record<string, FloorTool>>

export const addSchema = z.object({ a: z.number(), b: z.number() })
export const add = ({ a, b }: { a: number; b: number }): string => String(a + b)
export const floorTools: FloorTools = { add: { schema: addSchema, execute: add } }

/** Asks, runs the calls, asks again, until there is an answer. */
export async function loop(model: Model, messages: Message[], tools: FloorTools = floorTools): Promise<string> {
  for (;;) {
    let text = ''
    let calls: ToolCallPart[] | undefined
    for await (const event of model.stream({ messages }, {})) {
      if (event.type === 'text.delta') text += event.text
      else if (event.type === 'tool.call') (calls ??= []).push(event.call)
      else if (event.type === 'finish') break
    }
    messages.push({ role: 'assistant', content: calls ?? text })
    if (calls === undefined) return text
    for (const { toolCallId, toolName, result } of execute(calls, tools)) {
      const content = String(result instanceof Promise ? await result : result)
      messages.push({ role: 'tool', toolCallId, toolName, content })
    }
  }
}

function execute(
  calls: readonly ToolCallPart[],
  tools: FloorTools,
): { toolCallId: string; toolName: string; result: unknown }[] {
  return calls.map(({ toolCallId, toolName, input }) => ({
    toolCallId,
    toolName,
    result: tools[toolName]!.execute(input as never),
  }))
}

interface Entry {
  readonly seq: number
  readonly type: string
  readonly data: unknown
}

/** What an honest loop keeps. */
export class HonestRun {
  readonly messages: Message[]
  readonly log: Entry[] = []
  usage: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 }
  readonly #model: Model
  readonly #tools: FloorTools
  readonly #signal: AbortSignal
  readonly #subscriber: (entry: Entry) => void

  constructor(
    model: Model,
    messages: Message[],
    options: { tools?: FloorTools; signal: AbortSignal; subscriber: (entry: Entry) => void },
  ) {
    this.#model = model
    this.messages = messages
    this.#tools = options.tools ?? floorTools
    this.#signal = options.signal
    this.#subscriber = options.subscriber
  }

  async run(): Promise<string> {
    this.#emit('run.started', undefined)
    for (;;) {
      this.#signal.throwIfAborted()
      this.#emit('model.called', this.#model.name)
      let text = ''
      let calls: ToolCallPart[] | undefined
      for await (const event of this.#model.stream({ messages: this.messages }, { signal: this.#signal })) {
        this.#signal.throwIfAborted()
        if (event.type === 'text.delta') text += event.text
        else if (event.type === 'tool.call') (calls ??= []).push(event.call)
        else if (event.type === 'finish') {
          this.#count(event.usage)
          break
        }
      }
      this.#say({ role: 'assistant', content: calls ?? text })
      if (calls === undefined) {
        this.#emit('run.succeeded', text)
        return text
      }
      const results = calls.map((call) => this.#call(call))
      for (const [index, { toolCallId, toolName }] of calls.entries()) {
        const result = results[index]
        const content = String(result instanceof Promise ? await result : result)
        this.#emit('tool.ended', content)
        this.#say({ role: 'tool', toolCallId, toolName, content })
      }
    }
  }

  #call({ toolName, input }: ToolCallPart): unknown {
    const tool = this.#tools[toolName]
    if (tool === undefined) return `There is no tool '${toolName}'.`
    const checked = tool.schema.safeParse(input)
    if (!checked.success) return checked.error.message
    this.#emit('tool.called', input)
    return tool.execute(checked.data as never)
  }

  #count({ inputTokens, outputTokens, totalTokens }: Usage): void {
    const { usage } = this
    this.usage = {
      inputTokens: usage.inputTokens + inputTokens,
      outputTokens: usage.outputTokens + outputTokens,
      totalTokens: usage.totalTokens + totalTokens,
    }
  }

  #say(message: Message): void {
    this.messages.push(message)
    this.#emit('message.added', message)
  }

  #emit(type: string, data: unknown): void {
    const entry = { seq: this.log.length + 1, type, data }
    this.log.push(entry)
    this.#subscriber(entry)
  }
}
