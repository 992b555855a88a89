import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Agent, asTool, tool } from 'tellurion'
import { createClient } from 'tellurion/client'
import { createRuntime, memory, type Runtime } from 'tellurion/runtime'
import { macrotask, scriptedModel, virtualClock, type Script, type VirtualClock } from 'tellurion/testing'
import { sleep } from 'tellurion/world'
import { createServer } from '../server/server.ts'
import { Chat } from './chat.ts'
import { Link } from './link.ts'
import { Talk } from './talk.ts'
import { createTheme } from './theme.ts'

const identity = { user: 'local', scopes: ['read', 'write', 'admin'] } as const

/** A chat with a server in this process, over a wire that can be cut. */
class Wired {
  readonly clock: VirtualClock = virtualClock(Date.UTC(2026, 0))
  readonly chat: Chat
  readonly talk: Talk
  readonly runtime: Runtime
  readonly returned: string[] = []
  readonly requests: string[] = []
  /** No request arrives. */
  down = false
  /** Cuts the streams that are open. */
  cut = new AbortController()
  #changed = (): void => {}

  constructor(runtime: Runtime) {
    this.runtime = runtime
    const server = createServer({ runtime })
    const fetch = async (request: Request): Promise<Response> => {
      if (this.down) throw new TypeError('refused')
      this.requests.push(`${request.method} ${new URL(request.url).pathname}`)
      const response = await server.handle(request, { identity })
      return this.#cuttable(response)
    }
    const once = { maxRetries: 0 }
    const client = createClient({ baseURL: 'http://localhost', fetch, retry: once, reconnect: once })
    const onChange = (): void => this.#changed()
    this.chat = new Chat(createTheme(false), new Link({ clock: this.clock, onChange }))
    const onReturn = (text: string): void => void this.returned.push(text)
    this.talk = new Talk({ client, chat: this.chat, clock: this.clock, onChange, onReturn })
  }

  get text(): string {
    const { transcript } = this.chat
    return Array.from({ length: transcript.length }, (_, index) => transcript.at(index)!.lines(100))
      .flat()
      .join('\n')
  }

  /** Waits until it holds; the chat's clock stands still but for `ticking`. */
  async until(what: string, holds: () => boolean, { ticking = false } = {}): Promise<void> {
    for (let tries = 0; !holds(); tries++) {
      assert.ok(tries < 500, `never: ${what}\n${this.text}\n${JSON.stringify(this.chat.link.state)}`)
      const changed = new Promise<void>((resolve) => (this.#changed = resolve))
      if (ticking) await this.clock.advance(500)
      await Promise.race([changed, macrotask()])
      if (tries > 100) await sleep(5)
    }
  }

  shows(pattern: RegExp, options?: { readonly ticking: boolean }): Promise<void> {
    return this.until(String(pattern), () => pattern.test(this.text), options)
  }

  ended(): Promise<void> {
    return this.until('the turn is over', () => this.chat.live === undefined)
  }

  #cuttable(response: Response): Response {
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response
    const { signal } = this.cut
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    response.body?.pipeTo(writable, { signal }).catch(() => {})
    return new Response(readable, response)
  }
}

async function wired(t: TestContext, agents: readonly Agent[], session?: string): Promise<Wired> {
  const runtime = await createRuntime({
    store: memory(),
    agents: [...agents],
    retry: { maxRetries: 0 },
    patience: { grace: 0 },
  })
  const scene = new Wired(runtime)
  t.after(async () => {
    scene.talk.close()
    await runtime.close()
  })
  scene.talk.begin(session)
  return scene
}

const guide = (script: readonly Script[], options: Partial<ConstructorParameters<typeof Agent>[0]> = {}): Agent =>
  new Agent({ name: 'guide', model: scriptedModel(script, { chunkSize: 4 }), ...options })

/** A model that speaks when its clock is moved on: four characters in ten milliseconds. */
function paced(script: readonly Script[]): { readonly pace: VirtualClock; readonly agent: Agent } {
  const pace = virtualClock(0)
  const model = scriptedModel(script, { chunkSize: 4, delay: 10, clock: pace })
  return { pace, agent: new Agent({ name: 'guide', model, tools: { look: looking } }) }
}

const looking = tool({
  description: 'Looks.',
  inputSchema: { type: 'object' },
  execute: () => Promise.resolve('stars'),
})
const asking = tool({
  description: 'Removes.',
  inputSchema: { type: 'object' },
  needsApproval: true,
  execute: () => Promise.resolve('removed'),
})
const remove = { calls: [{ toolName: 'remove', input: { path: 'a' }, toolCallId: 'c1' }] }

describe('a talk', () => {
  it('makes a session, says something, and shows the reply', async (t) => {
    const scene = await wired(t, [guide(['It **rains**.', 'Again.'])])
    scene.talk.say('Weather?')
    await scene.shows(/It rains\./)
    await scene.ended()
    scene.talk.say('And now?')
    await scene.shows(/Again\./)
    await scene.ended()
    assert.equal(scene.text, '> Weather?\nIt rains.\n> And now?\nAgain.')
    assert.equal((await scene.runtime.runs({ session: scene.chat.session! })).length, 2)
    assert.equal(scene.chat.link.state.kind, 'online')
  })

  it('streams from the first piece on, and says what comes in between into the turn', async (t) => {
    const { pace, agent } = paced([
      { text: 'One moment.', calls: [{ toolName: 'look', input: {} }] },
      'Stars, in Celsius.',
    ])
    const scene = await wired(t, [agent])
    scene.talk.say('What is there?')
    await scene.until('the model is asked', () => pace.pending > 0 && scene.chat.live !== undefined)
    await pace.advance(20)
    await scene.shows(/^> What is there\?\nOne mome$/)
    scene.talk.say('In Celsius, please')
    await scene.shows(/\(is heard when the present step is done\)$/)
    await scene.until('the turn is over', () => (void pace.advance(100), scene.chat.live === undefined))
    assert.equal(
      scene.text,
      '> What is there?\nOne moment.\n  ✓ look {} → stars\n> In Celsius, please\nStars, in Celsius.',
    )
    assert.equal((await scene.runtime.runs({})).length, 1, 'one turn')
  })

  it('asks, gives the answer, and says when it is not taken', async (t) => {
    const scene = await wired(t, [guide([remove, 'Done.', remove, 'Kept.'], { tools: { remove: asking } })])
    const { inquiries } = scene.chat
    const answer = async (given: Parameters<typeof scene.talk.answer>[0]['answer']): Promise<void> => {
      await scene.until('it asks', () => inquiries.shown !== undefined)
      scene.talk.answer({ asked: inquiries.shown!, answer: given })
    }
    scene.talk.say('Remove it')
    await answer({ always: 'approve' })
    await scene.until('it is refused', () =>
      inquiries.lines(100, 20, { focused: true, now: 0 }).join().includes('no permissions'),
    )
    await answer('approve')
    await scene.shows(/✓ remove \{"path":"a"\} → removed\nDone\./)
    await scene.ended()
    scene.talk.say('Another')
    await answer({ deny: 'not on Fridays' })
    await scene.shows(/⊘ remove \{"path":"a"\} → not on Fridays\nKept\./)
    assert.equal(inquiries.count, 0)
  })

  it('tells that somebody else was faster', async (t) => {
    const scene = await wired(t, [guide([remove, 'Done.'], { tools: { remove: asking } })])
    scene.talk.say('Remove it')
    await scene.until('it asks', () => scene.chat.inquiries.shown !== undefined)
    const asked = scene.chat.inquiries.shown!
    await scene.runtime.interactions.answer(asked.interaction.id, 'approve')
    scene.talk.answer({ asked, answer: 'deny' })
    await scene.shows(/Done\./)
    await scene.shows(/interaction/)
    assert.equal(scene.chat.inquiries.count, 0)
  })

  it('stops the turn, and goes on in the same session', async (t) => {
    const { pace, agent } = paced(['A very long story.', 'Short.'])
    const scene = await wired(t, [agent])
    scene.talk.say('Tell me')
    await scene.until('the model is asked', () => pace.pending > 0 && scene.chat.live !== undefined)
    await pace.advance(10)
    await scene.shows(/A ve/)
    scene.talk.stop()
    scene.talk.stop()
    await scene.shows(/\(stopped\)/)
    await scene.ended()
    assert.equal(scene.requests.filter((each) => each.endsWith('/cancel')).length, 1)
    scene.talk.say('Shorter')
    await scene.until('the answer', () => (void pace.advance(100), scene.text.endsWith('Short.')))
  })

  it('shows nothing twice and misses nothing when the connection breaks in the middle', async (t) => {
    const { pace, agent } = paced([
      { text: 'One moment.', calls: [{ toolName: 'look', input: {} }] },
      'There are stars.',
    ])
    const scene = await wired(t, [agent])
    scene.talk.say('What is there?')
    await scene.until('the model is asked', () => pace.pending > 0 && scene.chat.live !== undefined)
    await pace.advance(20)
    await scene.shows(/One mome$/)
    scene.down = true
    scene.cut.abort()
    await scene.until('it is lost', () => scene.chat.link.state.kind === 'lost')
    assert.doesNotMatch(scene.text, /One/)
    await pace.advance(100)
    scene.down = false
    scene.cut = new AbortController()
    await scene.until('it is there again', () => scene.chat.link.state.kind === 'online', { ticking: true })
    await scene.until('the turn is over', () => (void pace.advance(100), scene.chat.live === undefined), {
      ticking: true,
    })
    assert.equal(scene.text, '> What is there?\nOne moment.\n  ✓ look {} → stars\nThere are stars.')
  })

  it('says once what it could not say at first, or takes it back', async (t) => {
    const scene = await wired(t, [guide(['Hello.'])])
    scene.down = true
    scene.talk.say('Forget it')
    await scene.until('it is lost', () => scene.chat.link.state.kind === 'lost')
    assert.equal(scene.text, '> Forget it\n  (sending)')
    scene.talk.stop()
    await scene.until('it is gone', () => scene.text === '')
    assert.deepEqual(scene.returned, ['Forget it'])
    scene.talk.say('Hi')
    await scene.clock.advance(5000)
    scene.down = false
    await scene.until('the answer', () => scene.text.endsWith('Hello.'), { ticking: true })
    assert.equal(scene.text, '> Hi\nHello.')
    assert.equal((await scene.runtime.runs({})).length, 1)
  })

  it('gives back what was said into a turn when nobody knows whether it arrived', async (t) => {
    const { pace, agent } = paced(['A very long story.'])
    const scene = await wired(t, [agent])
    scene.talk.say('Tell me')
    await scene.until('the model is asked', () => pace.pending > 0 && scene.chat.live !== undefined)
    scene.down = true
    scene.talk.say('Shorter')
    await scene.shows(/cannot be reached/)
    assert.deepEqual(scene.returned, ['Shorter'])
    assert.doesNotMatch(scene.text, /> Shorter/)
  })

  it('opens a session with what was said in it and what is asked there', async (t) => {
    const scene = await wired(t, [guide(['Hello.', remove, 'Done.'], { tools: { remove: asking } })])
    const first = await scene.runtime.submit('guide', 'Hi', { session: 's1' })
    await first.result()
    const second = await scene.runtime.submit('guide', 'Remove it', { session: 's1' })
    await second.result()
    scene.talk.open('s1')
    await scene.until('it asks', () => scene.chat.inquiries.shown !== undefined)
    assert.equal(scene.text, '> Hi\nHello.\n> Remove it\n  ? remove {"path":"a"} → waits for your answer')
    scene.talk.answer({ asked: scene.chat.inquiries.shown!, answer: 'approve' })
    await scene.shows(/✓ remove {"path":"a"} → removed\nDone\.$/)
    scene.talk.open(undefined)
    assert.equal(scene.text, '')
    assert.equal(scene.chat.session, undefined)
  })

  it('shows what others say in the same session', async (t) => {
    const scene = await wired(t, [guide(['Hello.', 'And you.'])])
    scene.talk.say('Hi')
    await scene.shows(/Hello\./)
    await scene.ended()
    await scene.runtime.submit('guide', 'From elsewhere', { session: scene.chat.session! })
    await scene.shows(/> From elsewhere\nAnd you\.$/, { ticking: true })
  })

  it('shows what a sub-agent asks', async (t) => {
    const helper = new Agent({
      name: 'helper',
      model: scriptedModel([remove, 'Removed it.']),
      tools: { remove: asking },
    })
    const boss = guide([{ calls: [{ toolName: 'helper', input: { task: 'remove a' } }] }, 'All done.'], {
      tools: { helper: asTool(helper, { description: 'Helps.' }) },
    })
    const scene = await wired(t, [boss, helper])
    scene.talk.say('Have it removed')
    await scene.until('it asks', () => scene.chat.inquiries.shown !== undefined, { ticking: true })
    const asked = scene.chat.inquiries.shown!
    assert.notEqual(asked.run, scene.chat.live?.run)
    scene.talk.answer({ asked, answer: 'approve' })
    await scene.shows(/✓ helper {"task":"remove a"} → Removed it\.\nAll done\.$/, { ticking: true })
    assert.equal(scene.chat.inquiries.count, 0)
  })

  it('says what the server refuses', async (t) => {
    const scene = await wired(t, [guide([])])
    scene.talk.open('not a session')
    await scene.shows(/session/)
    scene.talk.open('new')
    scene.talk.say('Hi')
    await scene.shows(/> Hi\n\(ended: provider_exhausted\)$/)
    await scene.ended()
  })

  it('counts the ticks of listed runs, pauses, stops and tries again', async (t) => {
    const failing = new Agent({
      name: 'guide',
      model: scriptedModel([
        { kind: 'authentication', code: 'authentication', message: 'No key.', retryable: false } as never,
        'Hello.',
      ]),
    })
    const scene = await wired(t, [failing])
    scene.talk.listing = true
    scene.talk.say('Hi')
    await scene.until('it failed', () => scene.chat.board.runs[0]?.status === 'failed', { ticking: true })
    const [run] = scene.chat.board.runs
    await scene.until('it is counted', () => scene.chat.board.ticksOf(run!.id) !== undefined, { ticking: true })
    scene.talk.order('retry', run!)
    await scene.shows(/Hello\.$/, { ticking: true })
    scene.talk.order('cancel', run!)
    await scene.until('nothing is left to do', () => scene.chat.live === undefined)
  })
})
