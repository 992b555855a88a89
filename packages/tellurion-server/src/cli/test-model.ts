// `tellurion test-model`: does the model answer? One tiny question, one line.

import { textOf } from 'tellurion'
import { complete, failureError, timeout } from 'tellurion/model'
import { systemClock } from 'tellurion/world'
import { namedModel } from '../config/model-variable.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import type { ExitCode } from './fault.ts'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { chooseModel, modelOfProvider } from './model-choice.ts'
import { Screen } from './screen.ts'
import { asUsage, type Host } from './setting.ts'

/** Options of `test-model`. */
export interface TestFlags extends Pick<ConfigFlags, 'config' | 'model'> {
  readonly provider?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

const patience = 30_000
const question = 'Reply with the single word: ok'

/** Asks. 0 when an answer came, 130 when it was cancelled; rejects with what is wrong and how to mend it. */
export async function testModel(flags: TestFlags, host: Host): Promise<ExitCode> {
  const { provider, model: wanted, config } = flags
  const named = provider === undefined && wanted !== undefined ? { model: wanted } : {}
  const loaded = await configurationOf({ ...(config === undefined ? {} : { config }), ...named }, host)
  const { model } = asUsage(() => {
    const { name, env } = namedModel(loaded)
    return chooseModel({ name: provider === undefined ? name : modelOfProvider(provider, wanted, env), env })
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
    if (flags.json === true) {
      const line = { model: model.name, ms: took, usage: reply.usage, text: textOf(reply.message) }
      host.stdout.write(`${exactJson(line)}\n`)
      return 0
    }
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
