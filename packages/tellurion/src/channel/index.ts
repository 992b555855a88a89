// The door `tellurion/channel`.

export { createChannel } from './channel.ts'
export type { Channel, ChannelOptions, Overflow } from './channel.ts'
export { batchItems, filterItems, joinItems, mapItems, pipeline } from './pipeline.ts'
export type { Stage } from './pipeline.ts'
