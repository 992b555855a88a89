// The shelf: the states of the branches that this process worked on last, so that a session that goes on here is not read
// again from its beginning. What was written since is read behind it, whoever wrote it; what does not fit is read anew.

import { advanced } from '../world/apply.ts'
import type { World } from '../world/world.ts'
import type { RunReads, StoredState } from './run-store.ts'
import { deltaOf, isOlder, revive, type Vocabulary } from './revival.ts'

/** Branches that are kept at most, and bytes of their journals; past either those go that rested for longest. */
const most = { branches: 1_000, bytes: 32 * 1024 * 1024 }

/** Where a branch stands. */
export interface Standing {
  /** The number of its last row, -1 for none, and the tick after it. */
  readonly seq: number
  readonly tick: number
  /** Bytes of its newest snapshot, and of the rows behind that. */
  readonly snapshotBytes: number
  readonly tailBytes: number
}

/** A state that is about to be gone on from. */
export interface Opened extends Standing {
  /** The world, for the caller alone, and whether it had to be migrated. Throws what `restore` throws. */
  revive(): { readonly world: World; readonly migrated: boolean }
}

/** Opens the states of branches. */
export interface Shelf {
  /** The state of a branch as it stands; undefined for one that is not there. */
  open(branch: string): Promise<Opened | undefined>
}

interface Kept extends Standing {
  /** Nobody's: it is forked before it is given away. */
  readonly world: World
}

/** Makes the shelf of a process. */
export function createShelf(store: RunReads, { components, retired }: Vocabulary): Shelf {
  const kept = new Map<string, Kept>()
  let bytes = 0
  const blank = revive({ rows: [], seq: -1, snapshotBytes: 0, tailBytes: 0 }, { components, retired })

  const forget = (branch: string): void => {
    const gone = kept.get(branch)
    if (gone === undefined) return
    kept.delete(branch)
    bytes -= sizeOf(gone)
  }
  const keep = (branch: string, state: Kept): void => {
    forget(branch)
    kept.set(branch, state)
    bytes += sizeOf(state)
    for (const oldest of kept.keys()) {
      if (kept.size <= most.branches && bytes <= most.bytes) break
      forget(oldest)
    }
  }
  /** A world and rows behind it; undefined where these are not in the present versions of components. */
  const windOn = (world: World, { rows }: StoredState): World | undefined => {
    try {
      return advanced(world, rows.map(deltaOf), retired)
    } catch {
      return undefined
    }
  }
  const given = (branch: string, standing: Standing, world: World): Opened => {
    keep(branch, { ...standing, world })
    return { ...standing, revive: () => ({ world: world.fork(), migrated: false }) }
  }

  return {
    async open(branch) {
      const known = kept.get(branch)
      const news = known && (await store.load(branch, { since: known.seq }))
      if (known !== undefined && news?.since !== undefined) {
        const world = windOn(known.world, news)
        const { snapshotBytes } = known
        const tailBytes = known.tailBytes + news.tailBytes
        const standing = { seq: news.seq, tick: news.rows.at(-1)?.tick ?? known.tick, snapshotBytes, tailBytes }
        if (world !== undefined) return given(branch, standing, world)
      }
      const state = news?.since === undefined && known !== undefined ? news : await store.load(branch)
      if (state === undefined) {
        forget(branch)
        return undefined
      }
      const { seq, snapshot, rows, snapshotBytes, tailBytes } = state
      const standing = { seq, tick: rows.at(-1)?.tick ?? snapshot?.header.tick ?? 0, snapshotBytes, tailBytes }
      const world = snapshot === undefined ? windOn(blank, state) : undefined
      if (world !== undefined) return given(branch, standing, world)
      return {
        ...standing,
        revive: () => {
          const revived = revive(state, { components, retired })
          // What was migrated is not kept before it is written down as a whole.
          if (isOlder(state, components)) return { world: revived, migrated: true }
          return given(branch, standing, revived).revive()
        },
      }
    },
  }
}

const sizeOf = ({ snapshotBytes, tailBytes }: Standing): number => snapshotBytes + tailBytes
