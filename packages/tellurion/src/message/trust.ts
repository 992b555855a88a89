// Trust: whose words some content is, and where words came from that the program does not vouch for. Plain data, assigned
// by the runtime and never read from a text.

/**
 * Whose words something is: `trusted` for what the program itself computes, `untrusted` for what strangers may have
 * written (web pages, mails, files, other services), `unvouched` where nobody said.
 */
export type Trust = 'trusted' | 'unvouched' | 'untrusted'

/** Where words came from that nobody vouches for. Plain JSON. */
export interface TaintSource {
  readonly level: Exclude<Trust, 'trusted'>
  /** What brought them: a tool's result, a retrieved document, a recalled fact, a message of another agent, a file that was handed in. */
  readonly kind: 'tool' | 'document' | 'fact' | 'message' | 'agent' | 'attachment'
  /** The name of the tool or agent, the source of the document, the key of the fact, the type of the file. */
  readonly name: string
  readonly toolCallId?: string
  /** What the call was about and how the words begin: one line that is inert, and still a stranger's. */
  readonly excerpt?: string
}
