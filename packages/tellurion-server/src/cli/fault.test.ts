import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TellurionError } from 'tellurion'
import { faultText, UsageError } from './fault.ts'

describe('faultText', () => {
  it('is one inert line', () => {
    const error = new TellurionError('model_service', 'It broke\non \u001b[31mtwo\u202e lines.')
    assert.equal(faultText(error, { verbose: false }), 'tellurion: It broke on [31mtwo lines.')
  })

  it('has stacks and causes where they are asked for', () => {
    const cause = new Error('deep\u001b')
    const text = faultText(new UsageError('Wrong.', { cause }), { verbose: true })
    assert.match(text, /^tellurion: Wrong\.\nUsageError: Wrong\.\n +at [^]*\ncaused by Error: deep\n +at /)
  })

  it('says of an error that is not ours how to learn more', () => {
    assert.match(faultText(new RangeError('odd'), { verbose: false }), /^tellurion: odd \(run it with --verbose/)
    assert.equal(faultText('thrown text', { verbose: true }), 'tellurion: thrown text')
  })

  it('ends in spite of causes that go in a circle', () => {
    const error = new Error('a')
    error.cause = error
    assert.ok(faultText(error, { verbose: true }).split('caused by').length <= 6)
  })
})
