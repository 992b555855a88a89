// What schemas here have in common: each is exactly a type of the protocol.

import type { z } from 'zod'

type Keys<T> = T extends unknown ? keyof T : never

/** Whether a schema lets through exactly a type: assignable, and with the same fields, optional ones included. */
export type Fits<Out, T> = [Out] extends [T]
  ? [Keys<T>] extends [Keys<Out>]
    ? [Keys<Out>] extends [Keys<T>]
      ? true
      : false
    : false
  : false

/** Takes a schema for a type of the protocol; what differs in a field is a type error here. */
export const schemaOf =
  <T>() =>
  <S extends z.ZodType>(schema: Fits<z.output<S>, T> extends true ? S : never): z.ZodType<T> =>
    schema as unknown as z.ZodType<T>
