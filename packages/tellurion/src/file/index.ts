// The door `tellurion/file`: small records in one file that a person can read.

export { makeFolder } from '../port/folder.node.ts'
export { fileKeyValue } from '../store/file/key-value.ts'
export type { FileKeyValue, FileKeyValueOptions } from '../store/file/key-value.ts'
export type { SavePoint } from '../store/file/rotating-file.ts'
