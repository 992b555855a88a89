// How much a model may send. A provider that never stops is cut off here, so a reply can cost time but not all memory.

/** The caps on one reply, in characters. What passes one of the first two ends the reply as `invalid_reply`. */
export const replyBounds = {
  /** One server-sent event, or one line of one. */
  event: 16 * 1024 * 1024,
  /** A whole reply, comments and keep-alives included. */
  reply: 64 * 1024 * 1024,
  /** What is read of the body of an HTTP error. */
  errorBody: 64 * 1024,
  /** What is still read after the last event, so that the connection can be used again. */
  rest: 64 * 1024,
  /** How long that may take, in milliseconds. */
  restTime: 1_000,
} as const
