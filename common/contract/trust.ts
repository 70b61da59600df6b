import * as z from "zod/mini";
import { InvalidConfigError } from "./config.ts";
import { sentenceOf } from "./issues.ts";

const host = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?$/;

/**
 * What the operator tells the node agents: one ConfigMap, one key per registry (`<namespace>.<name>`), each value one
 * entry as JSON. An agent makes its node's container runtime trust exactly what is listed, and undoes what is not.
 */
const trustEntrySchema = z.object({
  version: z.literal(1),
  /** Every `host` or `host:port` under which images name the registry. They become names of folders on the nodes. */
  hosts: z.array(z.string().check(z.regex(host))).check(z.maxLength(40)),
  /** Where a node reaches it: nodes do not resolve Service names, so this is an address. */
  server: z.string().check(z.regex(/^https:\/\/[A-Za-z0-9.:[\]-]{1,253}$/)),
  /** PEM of the certificate authority that signed the registry's certificate. */
  ca: z.string().check(z.maxLength(64 * 1024)),
});

export type TrustEntry = z.output<typeof trustEntrySchema>;

/** The ConfigMap's name, in the operator's namespace. */
export const trustConfigMap = "connected-registry-node-trust";

/** @throws {InvalidConfigError} */
export function parseTrustEntry(value: unknown): TrustEntry {
  const result = trustEntrySchema.safeParse(value, { error: sentenceOf });
  if (result.success) return result.data;
  throw new InvalidConfigError(
    ...result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
  );
}
