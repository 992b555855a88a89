// What a provider is to answer, said once and written in the words of any wire: so that one list of behaviours can be
// held against every model.

/** One thing that a reply does. */
export type WireStep =
  | { readonly text: string }
  | { readonly reasoning: string; readonly signature?: string }
  /** `pieces` joined are the arguments; each travels as a delta of its own. */
  | { readonly call: { readonly id: string; readonly name: string; readonly pieces: readonly string[] } }
  | { readonly finish: 'stop' | 'tool-calls' | 'length' }
  /** The provider reports in mid-reply that it is overloaded. */
  | { readonly error: string }

/** The usage that every scripted reply reports. */
export const scriptedUsage = { inputTokens: 12, outputTokens: 7, totalTokens: 19 } as const

/** One answer of a provider. */
export interface WireScript {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly steps?: readonly WireStep[]
  /** The body as it is, in place of `steps`. */
  readonly body?: string
  /** The body is the wire's own way to say that the conversation is too long. */
  readonly overflow?: true
  /** How the network delivers the body. Default `events`: each event by itself. */
  readonly delivery?: 'events' | 'bytes' | 'whole'
  readonly ending?: 'close' | 'cut' | 'hang' | 'mute'
  /** Nobody listens at the address at all. */
  readonly refuse?: true
}

/** How one kind of API says what a script wants said. */
export interface WireLanguage {
  /** The base URL's path. */
  readonly path: string
  /** The server-sent events of the steps, each with its newlines. */
  events(steps: readonly WireStep[]): string[]
  /** Status and body of an answer to a conversation that is too long. */
  readonly overflow: { readonly status: number; readonly body: string }
  /** The body of an HTTP error. */
  error(message: string): string
}

const sse = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`

const openAIReasons = { stop: 'stop', 'tool-calls': 'tool_calls', length: 'length' } as const
const anthropicReasons = { stop: 'end_turn', 'tool-calls': 'tool_use', length: 'max_tokens' } as const

/** OpenAI's chat completions. */
export const openAILanguage: WireLanguage = {
  path: '/v1',
  overflow: {
    status: 400,
    body: JSON.stringify({
      error: {
        message: 'Too long.',
        type: 'invalid_request_error',
        param: 'messages',
        code: 'context_length_exceeded',
      },
    }),
  },
  error: (message) => JSON.stringify({ error: { message, type: 'some_error', param: null, code: null } }),
  events(steps) {
    const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'scripted-1' }
    const chunk = (delta: object, reason: string | null = null): string =>
      sse({ ...head, choices: [{ index: 0, delta, finish_reason: reason }] })
    const events = [chunk({ role: 'assistant', content: '' })]
    let calls = 0
    for (const step of steps) {
      if ('text' in step) events.push(chunk({ content: step.text }))
      else if ('reasoning' in step) events.push(chunk({ reasoning_content: step.reasoning }))
      else if ('error' in step) {
        events.push(sse({ error: { message: step.error, type: 'server_error', code: null } }))
      } else if ('call' in step) {
        const { id, name, pieces } = step.call
        const index = calls++
        const first = { index, id, type: 'function', function: { name, arguments: '' } }
        events.push(chunk({ tool_calls: [first] }))
        for (const piece of pieces) events.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))
      } else {
        const { inputTokens, outputTokens, totalTokens } = scriptedUsage
        const usage = { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: totalTokens }
        events.push(chunk({}, openAIReasons[step.finish]), sse({ ...head, choices: [], usage }), 'data: [DONE]\n\n')
      }
    }
    return events
  },
}

/** Anthropic's messages. */
export const anthropicLanguage: WireLanguage = {
  path: '',
  overflow: {
    status: 413,
    body: JSON.stringify({ type: 'error', error: { type: 'request_too_large', message: 'Request too large.' } }),
  },
  error: (message) => JSON.stringify({ type: 'error', error: { type: 'some_error', message } }),
  events(steps) {
    const event = (data: { type: string; [field: string]: unknown }): string => `event: ${data.type}\n${sse(data)}`
    const { inputTokens, outputTokens } = scriptedUsage
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'scripted-1', content: [] }
    const usage = { input_tokens: inputTokens, output_tokens: 1 }
    const events = [event({ type: 'message_start', message: { ...message, stop_reason: null, usage } })]
    const block = (index: number, start: object, deltas: readonly object[]): void => {
      events.push(event({ type: 'content_block_start', index, content_block: start }))
      for (const delta of deltas) events.push(event({ type: 'content_block_delta', index, delta }))
      events.push(event({ type: 'content_block_stop', index }))
    }
    let index = 0
    for (const step of steps) {
      if ('text' in step) block(index++, { type: 'text', text: '' }, [{ type: 'text_delta', text: step.text }])
      else if ('reasoning' in step) {
        const { reasoning: thinking, signature = 'signed' } = step
        const deltas = [
          { type: 'thinking_delta', thinking },
          { type: 'signature_delta', signature },
        ]
        block(index++, { type: 'thinking', thinking: '', signature: '' }, deltas)
      } else if ('error' in step) {
        const error = { type: 'overloaded_error', message: step.error }
        events.push(event({ type: 'error', error }))
      } else if ('call' in step) {
        const { id, name, pieces } = step.call
        const deltas = ['', ...pieces].map((piece) => ({ type: 'input_json_delta', partial_json: piece }))
        block(index++, { type: 'tool_use', id, name, input: {} }, deltas)
      } else {
        const delta = { stop_reason: anthropicReasons[step.finish], stop_sequence: null }
        const usage = { output_tokens: outputTokens }
        events.push(event({ type: 'message_delta', delta, usage }), event({ type: 'message_stop' }))
      }
    }
    return events
  },
}
