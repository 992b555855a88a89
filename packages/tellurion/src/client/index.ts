// The door `tellurion/client`: a server of runs, asked from another program or a page.

export { createClient } from './client.ts'
export type { Client, ClientOptions, RemoteInteractions, RemoteTools } from './client.ts'
export type { CallOptions, ClientPorts, Fetch } from './caller.ts'
export type { EventReadOptions } from './event-reading.ts'
export type { Pages } from './pages.ts'
export type { RemoteRuns, Ticks } from './run.ts'
export type { RemoteSessions, SayOptions } from './session.ts'
export type { RemoteSocket, SocketConnection, SocketConstructor } from './socket.ts'
export type { MakeOptions, RemoteTurn, WatchOptions } from './turn.ts'
