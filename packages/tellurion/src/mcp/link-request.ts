// What is asked of a server, as far as others need to know: no type of the protocol's package is seen here, so that no
// program that imports the door needs its types.

/** Lists that a server may say have changed. */
export type ListKind = 'tools' | 'resources' | 'prompts'

/** What one request may bring. */
export interface LinkRequest {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds; default as configured for connecting. */
  readonly timeout?: number | undefined
  readonly onProgress?: ((progress: LinkProgress) => void) | undefined
}

/** How far a request has come, as the server says. */
export interface LinkProgress {
  readonly progress: number
  readonly total?: number | undefined
  readonly message?: string | undefined
}
