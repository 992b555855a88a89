// A process that does nothing but give the first answer.

import { peer } from '../pi.mjs'

await peer.chat([])()()
