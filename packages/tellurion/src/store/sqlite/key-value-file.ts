// A SQLite file of key-value records alone: caches, artifacts and memory tiers without a runtime.

import { systemClock, type Clock } from '../../clock/clock.ts'
import type { KeyValue } from '../../port/key-value.ts'
import { openDatabase } from './database.ts'
import type { DatabaseOptions } from './open-options.ts'
import { storeError } from './failure.ts'
import { dropLapsed, keyValueTable, sqliteKeyValue } from './key-value.ts'
import { createWriter } from './writer.ts'

/** An open file of records. */
export interface KeyValueFile extends KeyValue {
  /** Leaves nothing of what was deleted, has lapsed or was overwritten in the file and its log; `store_locked` while others read. */
  purge(): Promise<void>
  /** Writes what waits and closes the file. */
  close(): Promise<void>
}

/** `application_id` of such a file: "TELK". */
const mark = 0x54454c4b

/**
 * Opens the SQLite file `path` for key-value records; it and its folders are made when they are missing. A backend has
 * records of its own: this is for programs without one. Rejects with `store_unavailable`, `store_read_only`,
 * `store_corrupt`, `store_newer`, `store_full` or `store_locked`.
 */
export async function sqliteKeyValueFile(
  path: string,
  options: Omit<DatabaseOptions, 'clock' | 'layout'> & { readonly clock?: Clock } = {},
): Promise<KeyValueFile> {
  const { clock = systemClock, ...rest } = options
  const layout = { mark, version: 1, create: keyValueTable }
  const database = await openDatabase(path, { layout, clock, ...rest })
  // Pages that are freed are overwritten: what is deleted is gone from the file.
  database.sqlite.exec('PRAGMA secure_delete = ON')
  const writer = createWriter(database, { clock })
  return {
    ...sqliteKeyValue(database, { writer, clock }),
    async purge() {
      await writer.write(() => dropLapsed(database, clock.now(), -1))
      const read = (): unknown => database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
      const { busy } = (await database.read(read)) as { busy: number }
      if (busy !== 0) throw storeError('store_locked', database.path, 'others read it, so its log cannot be emptied')
    },
    async close() {
      await writer.close()
      database.close()
    },
  }
}
