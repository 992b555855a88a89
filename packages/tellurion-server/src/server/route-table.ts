// The table of routes, as a server meets it: which route a method and a path are, and what the path's parameters say.

import { routes, type RouteName } from 'tellurion/protocol'
import { RequestError } from './failure.ts'

/** A route that was met. */
export interface Match {
  readonly name: RouteName
  readonly parameters: Readonly<Record<string, string>>
}

interface Node {
  readonly fixed: Map<string, Node>
  parameter?: { readonly name: string; readonly node: Node }
  readonly names: Map<string, RouteName>
}

const emptyNode = (): Node => ({ fixed: new Map(), names: new Map() })

/** Finds the route of a method and path. */
export interface RouteTable {
  /** Throws `unknown_route`, `method_not_allowed` with `Allow`, `malformed_request` for what cannot be decoded. */
  find(method: string, path: string): Match
  /** The methods that a path has, sorted; none for a path that is not there. */
  methods(path: string): readonly string[]
}

/** Makes the table of the protocol's routes. Fixed segments go before parameters; HEAD is answered like GET. */
export function createRouteTable(): RouteTable {
  const root = emptyNode()
  for (const [name, { method, path }] of Object.entries(routes)) nodeAt(root, path).names.set(method, name as RouteName)

  const meet = (path: string): { node: Node; values: Record<string, string> } | undefined => {
    const values: Record<string, string> = {}
    let node: Node | undefined = root
    for (const segment of path.split('/').slice(1)) {
      const next: Node | undefined = node.fixed.get(segment)
      const { parameter }: Node = node
      if (next === undefined && parameter !== undefined && segment !== '') {
        values[parameter.name] = decoded(segment)
        node = parameter.node
      } else node = next
      if (node === undefined) return undefined
    }
    return { node, values }
  }
  const allowed = ({ names }: Node): string[] => [...names.keys(), ...(names.has('GET') ? ['HEAD'] : [])].sort()
  return {
    find(method, path) {
      const met = meet(path)
      const methods = met === undefined ? [] : allowed(met.node)
      if (met === undefined || methods.length === 0) {
        throw new RequestError('unknown_route', 'There is nothing under this path; /docs lists what there is.')
      }
      const name = met.node.names.get(method === 'HEAD' ? 'GET' : method)
      if (name !== undefined) return { name, parameters: met.values }
      const allow = methods.join(', ')
      throw new RequestError('method_not_allowed', `This path takes ${allow}.`, { allow })
    },
    methods: (path) => {
      const met = meet(path)
      return met === undefined ? [] : allowed(met.node)
    },
  }
}

function nodeAt(root: Node, path: string): Node {
  let node = root
  for (const segment of path.split('/').slice(1)) {
    const parameter = /^\{(\w+)\}$/.exec(segment)?.[1]
    if (parameter === undefined) {
      let next = node.fixed.get(segment)
      if (next === undefined) node.fixed.set(segment, (next = emptyNode()))
      node = next
    } else node = (node.parameter ??= { name: parameter, node: emptyNode() }).node
  }
  return node
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new RequestError('malformed_request', 'The path is not well encoded.')
  }
}
