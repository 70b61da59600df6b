import type { Secret } from "../api/kubernetes.ts";

/** Values of a Secret are base64. */
export function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** The value of a key as text; `undefined` if the Secret has no such key. */
export function valueOf(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString();
}
