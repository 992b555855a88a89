// Which model the command talks to: the one that an option names, else the one that the environment and `.env` name, else
// the built-in demo.

import { TellurionError, type Model } from 'tellurion'
import {
  demoModel,
  model,
  modelFromEnv,
  modelNamedByEnv,
  vendors,
  type Environment,
  type Vendor,
} from 'tellurion/model'

/** A model and why it was chosen. */
export interface ModelChoice {
  readonly model: Model
  /** The option or variable that named it; undefined for the demo that nothing named. */
  readonly because: string | undefined
  readonly isDemo: boolean
}

/** What may choose a model. */
export interface ChoiceOptions {
  /** `vendor/name`, or `demo`. */
  readonly name?: string | undefined
  /** The environment, `.env` included. */
  readonly env: Environment
  /** Milliseconds before each word of the demo. Default 0. */
  readonly demoDelay?: number
}

/** Chooses. Throws what `model()` and `modelFromEnv` throw; nothing is sent. */
export function chooseModel({ name, env, demoDelay = 0 }: ChoiceOptions): ModelChoice {
  if (name !== undefined && name !== 'demo') {
    return { model: model(name, { env }), because: '--model', isDemo: false }
  }
  const named = name === undefined ? modelNamedByEnv(env) : undefined
  const chosen = named && modelFromEnv(env)
  if (named !== undefined && chosen !== undefined) return { model: chosen, because: named.because, isDemo: false }
  return { model: demoModel({ delay: demoDelay }), because: name && '--model', isDemo: true }
}

/** `vendor/name` of a provider and perhaps a model: its own variable or default where none is given. */
export function modelOfProvider(provider: string, name: string | undefined, env: Environment): string {
  if (provider === 'demo') return 'demo'
  const row: Vendor | undefined = Object.hasOwn(vendors, provider)
    ? vendors[provider as keyof typeof vendors]
    : undefined
  const chosen = name ?? row?.modelNames.map((variable) => env[variable]?.trim()).find(Boolean) ?? row?.defaultModel
  if (row !== undefined && chosen === undefined) {
    throw new TellurionError('invalid_option', `${provider} has no default model: name one with --model.`)
  }
  const prefix = `${provider}/`
  return chosen?.startsWith(prefix) ? chosen : prefix + (chosen ?? 'model')
}

/** One or two sentences: who answers, and how to have another. */
export function describeChoice({ model, because, isDemo }: ModelChoice): readonly string[] {
  if (!isDemo) {
    return [`Talking to ${model.name} (named by ${because}).`, 'For another model: --model vendor/name.']
  }
  const reason = because === undefined ? ', for no key was found' : ''
  return [
    `Talking to the built-in demo model${reason}.`,
    'It can calculate, tell the time, wait, list and read files: what is 12*7?',
    'For a real model set OPENAI_API_KEY, ANTHROPIC_API_KEY or another key, or',
    'LLM_BASE_URL and LLM_MODEL, here or in .env, or pass --model vendor/name.',
  ]
}
