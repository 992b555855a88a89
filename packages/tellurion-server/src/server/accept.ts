// What kind of answer a request asks for, where a route has two.

/** Whether a client asks for a stream; without a word it gets JSON. */
export function wantsStream({ method, headers }: Request): boolean {
  return method !== 'HEAD' && /\btext\/event-stream\b/i.test(headers.get('accept') ?? '')
}
