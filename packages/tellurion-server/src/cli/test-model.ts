// `tellurion test-model`: does the model answer? One tiny question, one line.

import { textOf } from 'tellurion'
import { complete, failureError, timeout } from 'tellurion/model'
import { systemClock } from 'tellurion/world'
import type { ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { chooseModel, commandEnvironment, modelOfProvider } from './model-choice.ts'
import { Screen } from './screen.ts'
import { asUsage, type Host } from './setting.ts'

/** Options of `test-model`. */
export interface TestFlags {
  readonly provider?: string
  readonly model?: string
  readonly verbose?: boolean
}

const patience = 30_000
const question = 'Reply with the single word: ok'

/** Asks. 0 when an answer came, 130 when it was cancelled; rejects with what is wrong and how to mend it. */
export async function testModel({ provider, model: wanted }: TestFlags, host: Host): Promise<ExitCode> {
  const { model } = asUsage(() => {
    const env = commandEnvironment(host.env)
    return chooseModel({ name: provider === undefined ? wanted : modelOfProvider(provider, wanted, env), env })
  })
  const cancel = new AbortController()
  const onInterrupt = (): void => cancel.abort()
  host.on('SIGINT', onInterrupt)
  try {
    const started = systemClock.monotonic()
    const request = { messages: [{ role: 'user' as const, content: question }] }
    const reply = await complete(timeout(model, { total: patience }), request, { signal: cancel.signal })
    if (reply.status === 'aborted') return 130
    if (reply.status === 'failed') throw failureError(reply.failure)
    const took = Math.round(systemClock.monotonic() - started)
    const { inputTokens, outputTokens } = reply.usage
    const words = inertLine(textOf(reply.message)).slice(0, 200)
    new Screen(host.stdout, host.env).note(
      `ok ${model.name} answered in ${took} ms (${inputTokens} tokens in, ${outputTokens} out): ${words}`,
      'plain',
    )
    return 0
  } finally {
    host.off('SIGINT', onInterrupt)
  }
}
