// A process that does nothing but give the first answer.

import { peer } from '../openai-agents.mjs'

await peer.chat([])()()
