// What every peer's model says: ten calls of `add` one by one, then an answer.

export const callsOfRun = 10
export const turnsOfRun = callsOfRun + 1
export const answerText = 'The sum is 3.'

const call = (index) => [{ id: `call_${index}`, name: 'add', input: { a: 1, b: 2 } }]

/** The reply after the result of the call `lastId`: a list of calls, or the answer; later where `wait` is given. */
export function turnOf(lastId, wait) {
  const turn = lastId === undefined ? 0 : Number(lastId.slice(5)) + 1
  const reply = turn < callsOfRun ? call(turn) : answerText
  return wait === undefined ? reply : wait(turn).then(() => reply)
}
