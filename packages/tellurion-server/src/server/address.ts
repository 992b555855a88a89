// Where a server listens. Types that programs see, so without Node's.

/** Where a server listens. */
export interface Address {
  /** `http://127.0.0.1:8000`. */
  readonly url: string
  readonly port: number
}

/** A listening socket. */
export interface Listener extends Address {
  /** Takes no more connections and waits for the open ones at most `grace` milliseconds, then cuts them. */
  close(grace: number): Promise<void>
}
