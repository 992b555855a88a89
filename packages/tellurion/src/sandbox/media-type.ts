// What kind of file a name stands for, for whoever shows it. A hint and nothing more: code chose the name.

const types: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  md: 'text/markdown',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}

/** The media type that a file's name ends in; undefined where it tells nothing. */
export function mediaTypeOf(name: string): string | undefined {
  const [, ending = ''] = /\.([a-z0-9]+)$/i.exec(name) ?? []
  return Object.hasOwn(types, ending.toLowerCase()) ? types[ending.toLowerCase()] : undefined
}
