// The door `tellurion/sqlite`: everything that SQLite can do here, in one file on the disk.

export { sqlite, type SqliteOptions } from '../runtime/backend/sqlite/sqlite.ts'
export type { Synchronous } from '../store/sqlite/open-options.ts'
export type { WritePoint } from '../store/sqlite/open-options.ts'
export { sqliteKeyValueFile, type KeyValueFile } from '../store/sqlite/key-value-file.ts'
export { sqliteVectorStore, type SqliteVectorOptions } from '../store/sqlite/vector-store.ts'
