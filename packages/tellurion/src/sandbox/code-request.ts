// What a caller asks a sandbox to run, checked before anything starts.

import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { Execution, OutputChunk, SandboxFile } from './execution.ts'
import { isFitName, shownName } from './file-name.ts'
import { languages, type FullLimits, type Language, type SandboxLimits } from './limit.ts'

/** What is to be run. */
export interface CodeRequest {
  readonly language: Language
  readonly code: string
  /** Files that lie in the working folder when the code starts, by relative path: texts, or bytes. */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined
  /** Ends the code with all that it started; the result then says `cancelled`. */
  readonly signal?: AbortSignal | undefined
  /** Hears what is printed as it comes, up to the limit of output. */
  readonly onOutput?: ((chunk: OutputChunk) => void) | undefined
  /** Tightens the sandbox's limits. */
  readonly limits?: SandboxLimits | undefined
}

const known = ['language', 'code', 'files', 'signal', 'onOutput', 'limits']
const longestCode = 1_000_000

/** The request itself. Throws `unknown_option` and `invalid_option`. */
export function checkRequest(request: CodeRequest): CodeRequest {
  checkOptions('run', request, known)
  const { language, code } = request
  if (!languages.includes(language)) {
    throw new TellurionError(
      'invalid_option',
      `language must be one of ${languages.join(', ')}, not ${String(language)}.`,
    )
  }
  if (typeof code !== 'string' || code.length > longestCode || code.includes('\0')) {
    throw new TellurionError(
      'invalid_option',
      `code must be a text of at most ${longestCode} characters, none of them NUL.`,
    )
  }
  return request
}

/** The files as bytes. Throws `invalid_option` for names that lead elsewhere, and for more than the folder holds. */
export function filesOf(files: CodeRequest['files'] = {}, limits: FullLimits): readonly SandboxFile[] {
  const all = Object.entries(files).map(([name, content]): SandboxFile => {
    if (!isFitName(name)) {
      throw new TellurionError(
        'invalid_option',
        `"${shownName(name)}" is no name for a file: use a relative path such as data/sales.csv.`,
      )
    }
    if (typeof content === 'string') return { name, bytes: Buffer.from(content) }
    if (content instanceof Uint8Array) return { name, bytes: content }
    throw new TellurionError('invalid_option', `The file ${name} must be a text or a Uint8Array.`)
  })
  const size = all.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (size <= limits.disk) return all
  throw new TellurionError('invalid_option', `The files have ${size} bytes; the working folder holds ${limits.disk}.`)
}

/** What is told of code that was cancelled before it began; any other reason why it did not start is thrown. */
export function nothingRan(signal: AbortSignal | undefined): (error: unknown) => Execution {
  return (error) => {
    if (!signal?.aborted) throw error
    const printed = { stdout: '', stderr: '', truncated: false }
    return { end: 'cancelled', exitCode: null, ...printed, artifacts: [], refused: [], duration: 0 }
  }
}

/** Whether something is the result of code that never began. */
export function isStopped(value: object): value is Execution {
  return 'end' in value && typeof value.end === 'string'
}
