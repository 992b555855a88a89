// Compaction as an agent takes it: the system with its settings, and the live things that they name.

import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { asModel, type AnyModel } from '../model/any-model.ts'
import type { TokenCounter } from '../model/token-estimate.ts'
import type { System } from '../world/world.ts'
import { compaction, defaultStages } from './compaction.ts'
import { CompactionConfig, type CompactionSettings } from './context-component.ts'

/** How a context is kept below its model's window. */
export interface CompactContextOptions extends Omit<CompactionSettings, 'summaryModel' | 'counter'> {
  /** The model that summarises, or the name of a bound one. Default: the agent's own. */
  readonly summaryModel?: AnyModel | string
  /** What counts tokens. Default: the package `gpt-tokenizer` where it is installed, else `estimateTokens`. */
  readonly countTokens?: TokenCounter
}

const known = ['window', 'threshold', 'stages', 'keep', 'outputLength', 'summaryModel', 'archive', 'countTokens']
const stageNames = Object.keys(defaultStages)

/**
 * The system `compaction` with its settings, for `new Agent({ systems: [compactContext()] })`. Throws `invalid_option` and
 * `unknown_option`.
 */
export function compactContext(options: CompactContextOptions = {}): System {
  checkCompaction(options)
  const { summaryModel, countTokens, ...settings } = options
  const model = summaryModel === undefined || typeof summaryModel === 'string' ? undefined : asModel(summaryModel)
  const name = model?.name ?? (typeof summaryModel === 'string' ? summaryModel : undefined)
  const counter = countTokens && (countTokens.name || 'tokens')
  const config: CompactionSettings = {
    ...settings,
    ...(name === undefined ? {} : { summaryModel: name }),
    ...(counter === undefined ? {} : { counter }),
  }
  return {
    ...compaction,
    initial: [CompactionConfig(config)],
    resources: {
      ...(model === undefined ? {} : { models: { [model.name]: model } }),
      ...(counter === undefined ? {} : { tokenCounters: { [counter]: countTokens } }),
    },
  }
}

function checkCompaction(options: CompactContextOptions): void {
  checkOptions('compactContext', options, known)
  const { window, threshold, keep, outputLength, archive, countTokens, stages = {} } = options
  for (const [name, value] of Object.entries({ window, threshold, keep, outputLength })) checkWhole(name, value)
  if (archive !== undefined && archive !== 'log' && archive !== 'artifact') {
    throw new TellurionError('invalid_option', "archive must be 'log' or 'artifact'.")
  }
  if (countTokens !== undefined && typeof countTokens !== 'function') {
    throw new TellurionError('invalid_option', 'countTokens must be a function from a text to a number.')
  }
  checkOptions('compactContext stages', stages, stageNames)
  for (const [name, fraction] of Object.entries(stages)) {
    if (typeof fraction === 'number' && fraction > 0 && fraction <= 1) continue
    throw new TellurionError(
      'invalid_option',
      `stages.${name} must be a fraction of the window, above 0 and at most 1, not ${String(fraction)}.`,
    )
  }
}
