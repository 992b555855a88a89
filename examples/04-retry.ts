// Retry with a policy of one's own: of a model, and of any function around a circuit breaker. The faults are made on
// purpose; for the function time is virtual, so its long waits pass at once. (ECS-101, ECS-21, LOOM-04, LOOM-20, LOOM-21)

import { Agent } from 'tellurion'
import { createBreaker, modelFromEnv, retry, withRetry } from 'tellurion/model'
import { faultyModel, scriptedModel, virtualClock } from 'tellurion/testing'

// A model that is overloaded twice and then answers.
const answering = modelFromEnv() ?? scriptedModel(['Here I am.'])
const overloaded = faultyModel(answering, [{ fault: 'error' }, { fault: 'error' }])
const patient = retry(overloaded, { maxRetries: 5, initialWait: 20, factor: 3, maxWait: 10_000, jitter: 'none' })

const agent = new Agent({ name: 'patient', model: patient })
const { text } = await agent.generate('Are you there?')
console.log(`${text} ${overloaded.calls} calls`)
// prints: Here I am. 3 calls

// A wrong key does not get better by asking again, so it fails at once.
const clock = virtualClock()
const refused = scriptedModel([
  { kind: 'authentication', code: 'model_authentication', message: 'HTTP 401', retryable: false },
])
await new Agent({ name: 'refused', model: retry(refused, { clock }) })
  .generate('Hello?')
  .catch((error: unknown) => console.log(`${String(error)} after ${refused.calls} call`))
// prints: TellurionError: HTTP 401 after 1 call

// Any function: the breaker refuses while it is open, and the retry waits for as long as the breaker says.
const breaker = createBreaker({ failures: 2, openFor: 20_000, successes: 1, clock })
let calls = 0
const flaky = () => {
  if (++calls <= 2) throw new Error('down')
  return 'up'
}
const started = clock.now()
const [state] = await Promise.all([
  withRetry(
    () => breaker.call(flaky),
    { maxRetries: 4, jitter: 'none' },
    {
      clock,
      onRetry: ({ retry: number, wait }) =>
        console.log(`retry ${number} in ${wait / 1_000} s, breaker ${breaker.state}`),
    },
  ),
  clock.runAll(),
])
// prints: retry 1 in 1 s, breaker closed
// prints: retry 2 in 2 s, breaker open
// prints: retry 3 in 18 s, breaker open
console.log(`${state} after ${(clock.now() - started) / 1_000} s, breaker ${breaker.state}`)
// prints: up after 21 s, breaker closed
