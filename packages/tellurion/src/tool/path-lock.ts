// Locks on paths, shared by all runs of a process: writers of one path go one after another, its readers wait for them.
// First come, first served on every path, all paths of a call at once: no starvation, no deadlock. In memory only.

import { abortReason } from '../abort/abort.ts'

/** Gives the paths back. Calling it twice is harmless. */
export type Release = () => void

/** Locks on paths. */
export interface PathLocks {
  /**
   * Takes all `paths` for reading or for writing, at once where nothing stands in the way. Rejects with the signal's
   * reason, and leaves the line, when the signal aborts first. What `canonical` throws is thrown.
   */
  acquire(
    paths: readonly string[],
    options: { write: boolean; signal?: AbortSignal | undefined },
  ): Release | Promise<Release>
}

/** A call in the lines of its paths, waiting or holding. */
interface Holder {
  readonly keys: readonly string[]
  readonly write: boolean
  grant: (() => void) | undefined
}

/**
 * Makes locks. `canonical` gives one spelling for every spelling of a path; by default only `.`, `..`, `//` and `\` are
 * evened out. Where there is a file system use `canonicalPath` of `path.node.ts`.
 */
export function createPathLocks(canonical: (path: string) => string = plainPath): PathLocks {
  const lines = new Map<string, Holder[]>()

  const free = (holder: Holder): boolean =>
    holder.keys.every((key) => {
      for (const ahead of lines.get(key) ?? []) {
        if (ahead === holder) return true
        if (holder.write || ahead.write) return false
      }
      return true
    })

  const leave = (holder: Holder): void => {
    for (const key of holder.keys) {
      const line = lines.get(key)
      const place = line?.indexOf(holder) ?? -1
      if (line === undefined || place === -1) continue
      line.splice(place, 1)
      if (line.length === 0) lines.delete(key)
    }
    const freed = new Set(holder.keys.flatMap((key) => lines.get(key) ?? []))
    for (const next of freed) if (next.grant !== undefined && free(next)) next.grant()
  }

  return {
    acquire(paths, { write, signal }) {
      const holder: Holder = { keys: [...new Set(paths.map(canonical))], write, grant: undefined }
      for (const key of holder.keys) {
        const line = lines.get(key)
        if (line) line.push(holder)
        else lines.set(key, [holder])
      }
      const release = (): void => leave(holder)
      if (free(holder)) return release
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          holder.grant = undefined
          leave(holder)
          reject(abortReason(signal))
        }
        const grant = (): void => {
          holder.grant = undefined
          signal?.removeEventListener('abort', onAbort)
          resolve(release)
        }
        holder.grant = grant
        if (signal?.aborted) onAbort()
        else signal?.addEventListener('abort', onAbort, { once: true })
      })
    },
  }
}

/** A path without `.`, `..` and doubled separators, as far as its text alone tells. */
export function plainPath(path: string): string {
  const parts: string[] = []
  const even = path.replaceAll('\\', '/')
  const absolute = even.startsWith('/')
  for (const part of even.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!absolute) parts.push('..')
  }
  return (absolute ? '/' : '') + parts.join('/')
}
