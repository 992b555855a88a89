// A process that does nothing but give the first answer.

import { peer } from '../ai-sdk.mjs'

await peer.chat([])()()
