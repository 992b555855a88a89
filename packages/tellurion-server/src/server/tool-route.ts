// Routes of agents and their tools. A tool that is called by hand keeps to the rules of its agent.

import { Agent } from 'tellurion'
import type { AgentResource, Json, ToolResource } from 'tellurion/protocol'
import { createToolbox, decide, originOf, type Decided, type Toolbox } from 'tellurion/tool'
import { z } from 'zod'
import { RequestError } from './failure.ts'
import { operation } from './operation.ts'
import { pageOf, pageQuery, slicePage } from './page.ts'
import { agentResource, toolCallRequest, toolCallResource, toolResource } from './schema-tool.ts'
import type { Call, ServerSetting } from './setting.ts'
import { keyOf, offered } from './submission.ts'

/** The tools of an agent of any make. */
function toolsOf({ runtime }: ServerSetting, name: string): Toolbox {
  const agent = runtime.agents.get(name)
  return (agent instanceof Agent ? agent.toolbox : createToolbox(agent.tools)) ?? createToolbox()
}

/** The agents that runs may ask for. */
export const listAgents = operation('listAgents', {
  query: z.strictObject(pageQuery),
  answer: pageOf(agentResource),
  handle: async ({ setting, query }) => {
    const agents = setting.agents.map((name): AgentResource => ({ name, tools: toolsOf(setting, name).names() }))
    return slicePage(query, agents)
  },
})

/** The tools of all agents; those that several share stand once. */
export const listTools = operation('listTools', {
  query: z.strictObject(pageQuery),
  answer: pageOf(toolResource),
  handle: async ({ setting, query }) => {
    const found = new Map<unknown, ToolResource>()
    for (const agent of setting.agents) {
      const toolbox = toolsOf(setting, agent)
      for (const { name, description, inputSchema } of toolbox.specs()) {
        const tool = toolbox.get(name)!
        const { mode, repeat, risk } = tool.effects
        const known = found.get(tool)?.name === name ? found.get(tool) : undefined
        const agents = [...(known?.agents ?? []), agent]
        const origin = originOf(tool)
        const about = { name, agents, description, inputSchema, effects: { mode, repeat, risk } }
        found.set(tool, origin === undefined ? about : { ...about, origin })
      }
    }
    return slicePage(query, [...found.values()])
  },
})

/** The agent whose tool is meant: the one that is named, else the first that has it. */
function ownerOf(call: Call, tool: string, agent: string | undefined): string {
  const { setting } = call
  const names = agent === undefined ? setting.agents : [offered(call, agent)]
  const owner = names.find((name) => toolsOf(setting, name).get(tool) !== undefined)
  if (owner !== undefined) return owner
  throw new RequestError('unknown_tool', `There is no tool '${tool}'${agent === undefined ? '' : ` of ${agent}`}.`)
}

/** What was decided, with the caller's word where a person is asked. Throws what keeps the call from running. */
function permitted({ decision, prepared }: Decided, approved: boolean, by: string): Decided {
  const rest = prepared === undefined ? {} : { prepared }
  switch (decision.verdict) {
    case 'allow':
      return { decision, ...rest }
    case 'ask':
      if (approved) return { decision: { verdict: 'allow', by }, ...rest }
      throw new RequestError('tool_denied', `${decision.prompt} Say approved: true when a person has seen it.`)
    case 'deny':
      throw new RequestError('tool_denied', `The call is denied: ${decision.reason}.`)
    case 'reject':
      throw new RequestError(decision.code, decision.message)
    default:
      return decision satisfies never
  }
}

/** Calls a tool by hand. */
export const callTool = operation('callTool', {
  body: toolCallRequest,
  answer: toolCallResource,
  handle: async (call) => {
    const { setting, identity, body, request, signal } = call
    const { tool: toolName, arguments: input = {} as Json, approved = false } = body
    const agent = setting.runtime.agents.get(ownerOf(call, toolName, body.agent))
    const toolbox = toolsOf(setting, ownerOf(call, toolName, body.agent))
    const toolCallId = setting.ids('call')
    const asked = { type: 'tool-call', toolCallId, toolName, input } as const
    const authority = agent instanceof Agent ? agent.authority : {}
    const decided = permitted(await decide(asked, { toolbox, ...authority }), approved, identity.user)
    const { user } = identity
    const outcome = await setting.manual.perform(asked, decided, {
      toolbox,
      user,
      idempotencyKey: keyOf(request),
      signal,
    })
    const { content, isError = false, code } = outcome
    setting.log.info('tool.called', { requestId: call.requestId, user, toolName, isError, approved })
    return { toolName, content: content as unknown as Json, isError, ...(code === undefined ? {} : { code }) }
  },
})
