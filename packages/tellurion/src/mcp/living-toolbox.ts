// A toolbox whose tools come and go with what servers offer. Whoever holds it sees at each look what there is now; own
// tools stand first and keep their names.

import { createToolbox, type Toolbox } from '../tool/toolbox.ts'
import type { AnyTool } from '../tool/tool.ts'

/** Where tools come from; `version` says when to look again. */
export interface ToolsNow {
  tools(): Readonly<Record<string, AnyTool>>
  version(): number
  /** Told of a server's tool that has the name of an own one. */
  onDuplicate(name: string): void
}

/** Own tools and those of servers as one toolbox. A server's tool with the name of an own one is not offered. */
export function livingToolbox(own: Toolbox, { tools, version, onDuplicate }: ToolsNow): Toolbox {
  let built: Toolbox | undefined
  let builtOf = -1
  const now = (): Toolbox => {
    if (built !== undefined && builtOf === version()) return built
    const mixed = createToolbox(own)
    for (const [name, tool] of Object.entries(tools())) {
      if (own.get(name) === undefined) mixed.register(name, tool)
      else onDuplicate(name)
    }
    builtOf = version()
    built = mixed
    return mixed
  }
  return {
    get: (name) => now().get(name),
    names: () => now().names(),
    specs: () => now().specs(),
    register(name, tool) {
      own.register(name, tool)
      built = undefined
    },
    toOpenAIFormat: () => now().toOpenAIFormat(),
    execute: (name, args, options) => now().execute(name, args, options),
  }
}
