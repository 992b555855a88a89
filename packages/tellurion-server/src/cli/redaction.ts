// What a process keeps to itself: the secrets of its configuration and of its environment, taken out of whatever it logs,
// stores and answers.

import { createRedactor, isRevealing, type Redactor } from 'tellurion/secret'
import type { LoadedConfig } from '../config/load.ts'

/** Names of variables that hold secrets. */
const secretName = /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)$/i
/** Addresses with a password in them. */
const secretAddress = /^[a-z][a-z\d+.-]*:\/\/[^/\s]*:[^/\s]+@/i
/** Shorter values of settings, and of variables that only look like secrets, are ordinary words. */
const leastSetting = 6
const leastVariable = 12

/** A redactor that knows every secret of a configuration, and the variables that hold one by their name. */
export function redactorOf({ settings, env }: Pick<LoadedConfig, 'settings' | 'env'>): Redactor {
  const variables = Object.entries(env).flatMap(([name, value = '']) =>
    (secretName.test(name) && value.trim().length >= leastVariable) || secretAddress.test(value) ? [value] : [],
  )
  return createRedactor([...secretsIn(settings), ...variables])
}

function secretsIn(value: unknown): string[] {
  if (isRevealing(value)) return value.reveal().trim().length >= leastSetting ? [value.reveal()] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(secretsIn)
}
