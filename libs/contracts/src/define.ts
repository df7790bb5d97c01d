import type { z } from "zod";

/** One event or command: its name, the shape of its data, and one sentence for the catalogue. */
export interface Definition<T extends string = string, S extends z.ZodType = z.ZodType> {
  readonly type: T;
  readonly data: S;
  readonly summary: string;
}

export const define = <T extends string, S extends z.ZodType>(
  type: T,
  data: S,
  summary: string,
): Definition<T, S> => ({ type, data, summary });

/** The union `{ type, data }` over a list of definitions. */
export type MessageOf<D extends Definition> =
  D extends Definition<infer T, infer S> ? { readonly type: T; readonly data: z.infer<S> } : never;

/** The data of one definition. */
export type DataOf<D extends Definition> = z.infer<D["data"]>;
