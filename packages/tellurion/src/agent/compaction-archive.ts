// The archive: what compactions have replaced, as it was, in the world's own log or as artifacts that the log names.

import { TellurionError } from '../error/error.ts'
import type { Message } from '../message/message.ts'
import type { Artifacts } from '../tool/artifact.ts'
import type { Entity } from '../world/entity.ts'
import type { LogView } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { Conversation } from './component.ts'
import { artifactsOf } from './configuration.ts'
import { CompactionConfig, ConversationArchive, type ArchivedMessages } from './context-component.ts'

/**
 * Archives some messages and lets `write` put others in their place, in one synchronous block. Kept as an artifact, they
 * are stored first; when the conversation has changed by then, nothing is written. Where there is no room for an
 * artifact, the log takes them.
 */
export function archive(
  world: World,
  entity: Entity,
  given: { archived: ArchivedMessages; conversation: LogView<Message>; write: () => void },
): void | Promise<void> {
  const { archived, conversation, write } = given
  const keep = (item: ArchivedMessages): void => {
    world.append(entity, ConversationArchive, item)
    write()
  }
  if (world.get(entity, CompactionConfig)?.archive !== 'artifact') {
    keep(archived)
    return undefined
  }
  return artifactsOf(world)
    .put(JSON.stringify(archived.messages))
    .then((artifact) => {
      if (world.get(entity, Conversation) !== conversation) return
      keep(artifact === undefined ? archived : { ...archived, messages: [], artifact })
    })
}

/**
 * Everything that compactions have taken out of an entity's conversation or made shorter, oldest first, as it was.
 * Rejects with `unknown_resource` for an artifact that is not among `artifacts` (default: those of the world).
 */
export async function readArchive(
  world: World,
  entity: Entity,
  { artifacts = artifactsOf(world) }: { artifacts?: Artifacts } = {},
): Promise<readonly Message[]> {
  const messages: Message[] = []
  for (const item of world.get(entity, ConversationArchive) ?? []) {
    messages.push(...item.messages)
    if (item.artifact === undefined) continue
    const bytes = await artifacts.get(item.artifact.hash)
    if (bytes === undefined) {
      throw new TellurionError(
        'unknown_resource',
        `An archive is kept as artifact ${item.artifact.hash}, which is not here: pass the artifacts of its session.`,
      )
    }
    messages.push(...(JSON.parse(new TextDecoder().decode(bytes)) as Message[]))
  }
  return messages
}
