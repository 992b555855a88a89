// What went wrong on the wire, as the one error: what a server answered in its error shape, what something else answered,
// and no answer at all.

import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { retryAfterOf } from '../model/provider-failure.ts'
import type { ErrorResource } from '../protocol/resource.ts'
import type { JsonObject } from '../schema/json.ts'

/** The error that a failed answer stands for. `data` also has `status`, `requestId`, and `retryAfter` in milliseconds. */
export async function refusalOf(response: Response, clock: Clock): Promise<TellurionError> {
  const { status, statusText, headers, url } = response
  const retryAfter = retryAfterOf(headers, clock)
  const seen: JsonObject = { status, ...(retryAfter === undefined ? {} : { retryAfter }) }
  const said = errorIn(await response.text().catch(() => ''))
  if (said === undefined) {
    const whose = url === '' ? 'The server' : new URL(url).origin
    const message = `${whose} answered ${status}${statusText === '' ? '' : ` ${statusText}`}, not as a server of runs does.`
    return new TellurionError('invalid_response', message, {
      data: seen,
      retryable: [429, 502, 503, 504].includes(status),
    })
  }
  const { code, message, requestId, data } = said
  // Whatever its reason, a server that is not there now may be there later.
  const retryable = said.retryable || status === 503
  // A newer server may have codes that this version does not know: they are kept as they are.
  return TellurionError.from({
    code: code as TellurionError['code'],
    message,
    retryable,
    data: { ...data, ...seen, requestId },
  })
}

/** Whether an error says that the request was turned away before anything came of it. */
export function wasRefused(error: unknown): boolean {
  const { status, retryAfter } = (error instanceof TellurionError ? error.data : undefined) ?? {}
  return status === 429 || (status === 503 && retryAfter !== undefined)
}

/** Nothing came back, within the deadline where one is given. */
export function noAnswer(baseURL: string, cause: unknown, deadline?: number): TellurionError {
  const how = deadline === undefined ? 'cannot be reached, or the connection broke' : `did not answer in ${deadline} ms`
  return new TellurionError('server_unreachable', `The server at ${baseURL} ${how}.`, { cause })
}

/** What came back makes no sense. */
export function unreadable(baseURL: string, cause: unknown): TellurionError {
  const message = `What ${baseURL} answered cannot be read: is it the address of a Tellurion server?`
  return new TellurionError('invalid_response', message, { cause })
}

function errorIn(text: string): ErrorResource['error'] | undefined {
  try {
    const { error } = JSON.parse(text) as Partial<ErrorResource>
    return typeof error?.code === 'string' && typeof error.message === 'string' ? error : undefined
  } catch {
    return undefined
  }
}
