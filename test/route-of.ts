// Which route a method and a path are, read off the protocol's table and off nothing of the server.

import { routes, type RouteName } from 'tellurion/protocol'

const patterns = (Object.keys(routes) as RouteName[])
  .map((name) => {
    const { method, path } = routes[name]
    return { name, method, path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`) }
  })
  // What is fixed goes before what stands for anything.
  .toSorted((a, b) => a.path.split('{').length - b.path.split('{').length)

/** The route, if there is one. */
export function routeOf(method: string, path: string): RouteName | undefined {
  const asked = method === 'HEAD' ? 'GET' : method
  return patterns.find((route) => route.method === asked && route.pattern.test(path))?.name
}
