// Prompts of a server: texts with blanks that a person picks, never a model. What comes back are messages of a stranger,
// for the program to show or to send on.

import { cleanLine, cleanText } from './clean-text.ts'
import type { LinkRequest } from './link-request.ts'
import type { McpPrompt, McpPromptMessage } from './shown.ts'
import type { McpServer } from './server.ts'
import { contentParts, type ContentBlock } from './tool-result.ts'

const maxListed = 1_000
const maxMessages = 200

/** The prompts of a server; none where it has no prompts. */
export async function listPrompts(server: McpServer, request: LinkRequest): Promise<readonly McpPrompt[]> {
  const listed = await server.use(
    (link) => (link.has('prompts') ? link.listPrompts(request) : Promise.resolve([])),
    request,
  )
  return listed.slice(0, maxListed).map((each) => {
    const {
      name,
      description,
      arguments: blanks = [],
    } = each as {
      name: string
      description?: string
      arguments?: readonly { name: string; description?: string; required?: boolean }[]
    }
    return {
      name,
      ...(description === undefined ? {} : { description: cleanText(description, 1_000) }),
      arguments: blanks.slice(0, maxListed).map((blank) => ({
        name: blank.name,
        ...(blank.description === undefined ? {} : { description: cleanLine(blank.description, 500) }),
        required: blank.required === true,
      })),
    }
  })
}

/** A prompt with its blanks filled in. Rejects with `mcp_failed` where there is none, or a blank is missing. */
export async function getPrompt(
  server: McpServer,
  { name, args }: { readonly name: string; readonly args: Readonly<Record<string, string>> },
  request: LinkRequest,
): Promise<readonly McpPromptMessage[]> {
  const { messages } = await server.use((link) => link.getPrompt(name, args, request), request)
  return messages.slice(0, maxMessages).map(({ role, content }) => ({
    role,
    content: contentParts([content as ContentBlock]),
  }))
}
