// Open folders: the only way to a file. Each is opened by its name under the one before it, never through a link, and
// verified to lie under the root when it is used; what happens to paths meanwhile cannot lead anywhere else.

import { constants, type BigIntStats } from 'node:fs'
import { lstat, mkdir, open, opendir, readlink, realpath, stat, statfs, type FileHandle } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { nearest, TellurionError } from '../error/error.ts'
import { isPlaceName } from './place.ts'
import { descriptors, type Workspace } from './workspace.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants
/** To open without following a link and without waiting, for a pipe for example. Zero where a system knows no such thing. */
const carefully = (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0)

/** File systems that are windows into the kernel: reading or writing there is no work with files. */
const kernels: ReadonlySet<bigint> = new Set([
  0x9f_a0n, // proc
  0x62_65_65_72n, // sysfs
  0x27_e0_ebn, // cgroup
  0x63_67_72_70n, // cgroup2
  0x64_62_67_20n, // debugfs
  0x74_72_61_63n, // tracefs
  0x1c_d1n, // devpts
  0x73_63_66_73n, // securityfs
  0x62_65_65_70n, // configfs
  0xca_fe_4a_11n, // bpf
  0xf9_7c_ff_8cn, // selinux
])

/** Names of a folder that are compared with one that is not there. */
const maxNames = 500

/** A file that is open for reading, verified: a regular file with one name. Close it. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly stat: BigIntStats
}

/** A folder that is open. Close it. */
export class Folder {
  readonly #workspace: Workspace
  /** Where it lies from the root on, for messages. */
  readonly path: string
  /** What a name is put behind to reach it here. */
  readonly #base: string
  readonly #handle: FileHandle | undefined
  readonly #device: bigint

  private constructor(
    workspace: Workspace,
    given: { path: string; base: string; handle: FileHandle | undefined; device: bigint },
  ) {
    this.#workspace = workspace
    this.path = given.path
    this.#base = given.base
    this.#handle = given.handle
    this.#device = given.device
  }

  /** Opens the root. Throws `file_access` when it is another folder by now. */
  static async root(workspace: Workspace): Promise<Folder> {
    const { root, identity, device } = workspace
    const given = await opened(workspace, root, '').catch((error: unknown) => {
      throw failure(error, 'The root of the workspace cannot be opened')
    })
    const found = await (given.handle?.stat({ bigint: true }) ?? stat(root, { bigint: true }))
    const folder = new Folder(workspace, { ...given, path: '', device })
    if (`${found.dev}:${found.ino}` === identity) return folder
    await folder.close()
    throw new TellurionError('file_access', 'The root of the workspace has been replaced since it was made.')
  }

  /** Opens the folder at some names under the root, one after the other. Throws `file_access`. */
  static async at(workspace: Workspace, names: readonly string[]): Promise<Folder> {
    let folder = await Folder.root(workspace)
    for (const name of names) folder = await folder.#move(name)
    return folder
  }

  /** Opens a folder in this one and closes this one, however that ends. */
  async #move(name: string): Promise<Folder> {
    try {
      return await this.enter(name)
    } finally {
      await this.close()
    }
  }

  /** Opens a folder in this one; both stay open. Throws `file_access`. */
  async enter(name: string): Promise<Folder> {
    const path = this.#pathOf(name)
    const given = await opened(this.#workspace, this.reach(name), path).catch(async (error: unknown) => {
      throw await this.#explain(name, error, 'folder')
    })
    try {
      const found = await (given.handle?.stat({ bigint: true }) ?? lstat(given.base, { bigint: true }))
      if (found.dev !== this.#device && kernels.has(BigInt((await statfs(given.base, { bigint: true })).type))) {
        throw new TellurionError('file_access', `${path} belongs to the kernel, not to the files of the workspace.`)
      }
      return new Folder(this.#workspace, { ...given, path, device: found.dev })
    } catch (error) {
      await given.handle?.close()
      throw error
    }
  }

  /** A path that leads to a name in this very folder, wherever the folder is by now. */
  reach(name: string): string {
    return join(this.#base, name)
  }

  /** Makes a folder in this one unless there is one. Throws `file_access`. */
  async make(name: string): Promise<void> {
    try {
      await mkdir(this.reach(name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw failure(error, `The folder ${this.#pathOf(name)} cannot be made`)
      }
    }
  }

  /** What stands under a name, links not followed; undefined when nothing does. */
  async look(name: string): Promise<BigIntStats | undefined> {
    try {
      return await lstat(this.reach(name), { bigint: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw failure(error, `${this.#pathOf(name)} cannot be looked at`)
    }
  }

  /**
   * Opens a regular file of one name for reading. Throws `file_access`, saying what else it is. `listed` says that a
   * listing of this folder has just called it a file, and that the folder will be verified after what is read: for many
   * files of one folder.
   */
  async open(name: string, { listed = false }: { readonly listed?: boolean } = {}): Promise<OpenFile> {
    const path = this.#pathOf(name)
    if (!listed) {
      const there = await this.look(name)
      if (there === undefined) throw await this.#explain(name, { code: 'ENOENT' }, 'file')
      // A pipe or a device can notice that it is opened, so what it is comes first; what was opened is asked once more.
      refuseOther(path, there)
    }
    const handle = await open(this.reach(name), O_RDONLY | carefully).catch(async (error: unknown) => {
      throw await this.#explain(name, error, 'file')
    })
    try {
      const found = await handle.stat({ bigint: true })
      refuseOther(path, found)
      if (!listed || this.#handle === undefined) await this.#verifyFile(handle, found, name)
      return { handle, stat: found }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Throws `file_access` unless this folder lies under the root now. */
  async verify(): Promise<void> {
    if (this.#handle !== undefined) return this.#verifyDescriptor(this.#handle, this.path)
    await this.#verifyPath(this.#base, this.path)
  }

  /** Writes to the disk which names are in the folder. */
  async sync(): Promise<void> {
    await this.#handle?.sync()
  }

  async close(): Promise<void> {
    await this.#handle?.close()
  }

  async #verifyFile(handle: FileHandle, found: BigIntStats, name: string): Promise<void> {
    const path = this.#pathOf(name)
    if (this.#handle !== undefined) return this.#verifyDescriptor(handle, path)
    const there = await lstat(this.reach(name), { bigint: true })
    if (there.ino !== found.ino || there.dev !== found.dev) throw moved(path)
    await this.#verifyPath(this.reach(name), path)
  }

  /** What the kernel says about where an open file or folder is. */
  async #verifyDescriptor(handle: FileHandle, path: string): Promise<void> {
    const place = await readlink(join(descriptors, String(handle.fd)))
    const { root } = this.#workspace
    if (place !== root && !place.startsWith(root + sep)) throw moved(path)
    if (place.endsWith(' (deleted)') && (await handle.stat()).nlink === 0) throw moved(path)
  }

  /** Where there is no descriptor to ask about: no link may be on the way. */
  async #verifyPath(place: string, path: string): Promise<void> {
    const real = await realpath(place)
    const { root } = this.#workspace
    const [a, b] = await Promise.all([stat(real, { bigint: true }), lstat(place, { bigint: true })])
    const inside = real === root || real.startsWith(root + sep)
    if (!inside || a.ino !== b.ino || a.dev !== b.dev) throw moved(path)
  }

  #pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}/${name}`
  }

  async #missing(name: string, wanted: 'file' | 'folder'): Promise<TellurionError> {
    const near = nearest(name, await this.#names().catch(() => []))
    const hint = near === undefined ? '' : ` Did you mean ${this.#pathOf(near)}?`
    return new TellurionError('file_access', `There is no ${wanted} ${this.#pathOf(name)}.${hint}`)
  }

  /** Some names that stand here and are no secret. */
  async #names(): Promise<readonly string[]> {
    await this.verify()
    const names: string[] = []
    for await (const { name } of await opendir(this.reach('.'))) {
      if (isPlaceName(name) && !this.#workspace.isHidden(this.#pathOf(name))) names.push(name)
      if (names.length >= maxNames) break
    }
    return names
  }

  /** Why a name could not be opened, in words that help to go on. */
  async #explain(name: string, error: unknown, wanted: 'file' | 'folder'): Promise<TellurionError> {
    const path = this.#pathOf(name)
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof TellurionError) return error
    if (code === 'ENOENT') return this.#missing(name, wanted)
    const there = await this.look(name).catch(() => undefined)
    if (there !== undefined && wanted === 'file') {
      try {
        refuseOther(path, there)
      } catch (refusal) {
        return refusal as TellurionError
      }
    }
    if (there?.isSymbolicLink() === true) return linked(path)
    if (there !== undefined && wanted === 'folder' && !there.isDirectory()) {
      return new TellurionError('file_access', `${path} is no folder.`)
    }
    return failure(error, `${path} cannot be opened`)
  }
}

/** A folder opened by its name: by descriptor, or without one where the system has none. */
async function opened(
  { verified }: Workspace,
  place: string,
  path: string,
): Promise<{ base: string; handle: FileHandle | undefined }> {
  if (verified) {
    const handle = await open(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    return { base: join(descriptors, String(handle.fd)), handle }
  }
  const found = await lstat(place)
  if (found.isSymbolicLink()) throw linked(path)
  if (!found.isDirectory()) throw new TellurionError('file_access', `${path} is no folder.`)
  return { base: place, handle: undefined }
}

/** Throws unless a thing is a regular file with one name. */
function refuseOther(path: string, found: BigIntStats): void {
  if (found.isSymbolicLink()) throw linked(path)
  if (found.isDirectory())
    throw new TellurionError('file_access', `${path} is a folder; listFiles shows what is in it.`)
  if (!found.isFile()) throw new TellurionError('file_access', `${path} is no file, but a ${kindOf(found)}.`)
  if (found.nlink > 1n) {
    throw new TellurionError(
      'file_access',
      `${path} has ${found.nlink} names (hard links), and the others may lie outside of the workspace; it is left alone.`,
    )
  }
  if (found.nlink < 1n) throw moved(path)
}

function kindOf(found: BigIntStats): string {
  if (found.isFIFO()) return 'pipe'
  if (found.isSocket()) return 'socket'
  return 'device'
}

function linked(path: string): TellurionError {
  return new TellurionError('file_access', `${path} is a symbolic link; links are not followed, name what it leads to.`)
}

function moved(path: string): TellurionError {
  return new TellurionError('file_access', `${path} was moved or replaced meanwhile; nothing was done. Try again.`)
}

/** Any failure of the system as one of ours, without the paths that only this process can read. */
export function failure(error: unknown, what: string): TellurionError {
  if (error instanceof TellurionError) return error
  const { code } = error as NodeJS.ErrnoException
  return new TellurionError('file_access', `${what}${code === undefined ? '' : ` (${code})`}.`, { cause: error })
}
