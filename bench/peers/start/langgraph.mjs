// A process that does nothing but give the first answer.

import { peer } from '../langgraph.mjs'

await peer.chat([])()()
