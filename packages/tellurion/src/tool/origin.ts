// Where a tool came from, in words: a file, an MCP server, a skill. Whoever brings tools from elsewhere writes it down;
// lists of tools and complaints about names show it.

import type { AnyTool } from './tool.ts'

const $origin = Symbol.for('tellurion.tool.origin')
/** Longest origin that is kept. */
const maxLength = 300

/** The same tool with its origin, such as `tools/weather.tool.ts`; the given one is left as it is. */
export function withOrigin<T extends AnyTool>(tool: T, origin: string): T {
  return { ...tool, [$origin]: origin.slice(0, maxLength).toWellFormed() }
}

/** Where a tool came from; undefined where nobody said, as for those that a program makes itself. */
export function originOf(tool: AnyTool | undefined): string | undefined {
  return (tool as { readonly [$origin]?: string } | undefined)?.[$origin]
}
