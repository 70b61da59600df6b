import * as z from "zod/mini";

/** `schema` with its meaning for the people who write it: the reference of all settings is made from these texts. */
export function described<T extends z.ZodMiniType>(text: string, schema: T): T {
  return schema.check(z.describe(text));
}
