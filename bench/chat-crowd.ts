// A crowd that chats: so many sessions, each of which says something, reads the answer, thinks, and says something again.
// Each has a connection of its own, as people have; what they wait beyond the model is what the server takes.

import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import { pause } from './measure.ts'
import { modelTime, token } from './served.ts'

/** How a crowd chats. */
export interface CrowdOptions {
  readonly port: number
  readonly sessions: number
  /** Times that each says something. */
  readonly turns: number
  /** Mean milliseconds from an answer to the next question; 0 asks at once. */
  readonly think: number
}

/** What came of it: milliseconds beyond the model, and until each was let in, both sorted, and how long all took. */
export interface CrowdFigures {
  readonly overheads: Float64Array
  readonly connects: Float64Array
  readonly wall: number
}

/** Chats. Rejects when an answer is not the one that belongs to the question. */
export async function chat({ port, sessions, turns, think }: CrowdOptions): Promise<CrowdFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: sessions })
  const overheads = new Float64Array(sessions * turns)
  const connects = new Float64Array(sessions)
  const began = performance.now()
  const talk = async (index: number): Promise<void> => {
    // They come one after another, not all in the same moment.
    await pause((think * index) / sessions)
    const called = performance.now()
    await greet(agent, port)
    connects[index] = performance.now() - called
    for (let turn = 0; turn < turns; turn++) {
      const asked = performance.now()
      const content = `${index} asks ${turn}`
      const { status, body } = await say(agent, port, { content, session_id: `crowd-${port}-${index}` })
      overheads[index * turns + turn] = performance.now() - asked - modelTime
      if (status !== 200 || (JSON.parse(body) as { text: string }).text !== `You said: ${content}`) {
        throw new Error(`${content}: ${status} ${body}`)
      }
      if (turn + 1 < turns) await pause(think * (0.5 + Math.random()))
    }
  }
  await Promise.all(Array.from({ length: sessions }, (_, index) => talk(index)))
  const wall = performance.now() - began
  agent.destroy()
  return { overheads: overheads.sort(), connects: connects.sort(), wall }
}

/** Opens a connection with the least that a server is asked. */
function greet(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ agent, port, host: '127.0.0.1', path: '/health' }, (answer) => {
      answer.resume().on('end', resolve).on('error', reject)
    })
    asked.on('error', reject).end()
  })
}

/** The figure at a part of them. */
export function percentile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}

/** How something that was said is answered. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

/** Says something in a session and waits for the answer. */
export function say(agent: Agent, port: number, said: { content: string; session_id: string }): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const body = JSON.stringify(said)
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  const asked = request(
    { agent, port, host: '127.0.0.1', method: 'POST', path: '/api/v1/messages', headers },
    (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, headers: answer.headers }))
      answer.on('error', reject)
    },
  )
  asked.on('error', (error: NodeJS.ErrnoException) => {
    // The server had just closed a connection on which nothing was said for long.
    if (asked.reusedSocket && error.code === 'ECONNRESET') resolve(say(agent, port, said))
    else reject(error)
  })
  asked.end(body)
  return promise
}
