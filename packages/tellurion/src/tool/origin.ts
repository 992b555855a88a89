// Where a tool came from, in words: a file, an MCP server, skills. Whoever brings tools from elsewhere writes it down;
// lists of tools and complaints about names show it.

import type { AnyTool } from './tool.ts'

const $origin = Symbol.for('tellurion.tool.origin')
/** Longest origin that is kept. */
const maxLength = 300

/** Writes down where a tool came from, such as `tools/weather.tool.ts`, in the place of what was written before; gives the tool. */
export function withOrigin<T extends AnyTool>(tool: T, origin: string): T {
  return Object.assign(tool, { [$origin]: origin.slice(0, maxLength).toWellFormed() })
}

/** Where a tool came from; undefined where nobody said, as for those that a program makes itself. */
export function originOf(tool: AnyTool | undefined): string | undefined {
  return (tool as { readonly [$origin]?: string } | undefined)?.[$origin]
}
