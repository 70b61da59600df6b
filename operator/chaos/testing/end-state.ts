import { X509Certificate } from "node:crypto";
import type { KubeObject } from "../../runtime/kube.ts";
import { keyText, keyOf } from "../../runtime/kube.ts";

/** What differs from run to run although all is the same. */
const incidental: ReadonlySet<string> = new Set([
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "generation",
  "observedGeneration",
  "connectedregistry.io/applied",
]);
const time = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/u;
/** Made at random; what must be true of them is looked at elsewhere. */
const secret = /^(password\d?|auth|salt|hash|tls\.key|.*\.key)$/u;

/**
 * Everything there is, as far as two runs of the same story must agree: without versions and times; of what is random only
 * how long it is, and of certificates whom they are for. An owner that is gone shows as such.
 */
export function endState(objects: readonly KubeObject[]): Readonly<Record<string, unknown>> {
  const alive = new Set(objects.map(({ metadata }) => metadata.uid));
  const entries = objects.map((object): [string, unknown] => {
    const { ownerReferences, ...metadata } = object.metadata;
    const owners = (ownerReferences ?? []).map(({ kind, name, uid }) =>
      alive.has(uid) ? `${kind} ${name}` : `${kind} ${name}, gone`,
    );
    return [`${object.kind} ${keyText(keyOf(object))}`, told("", { ...object, metadata, owners })];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function told(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => told(name, item));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([key]) => !incidental.has(key));
    const decoded = name === "data" ? entries.map(([key, text]) => [key, plain(String(text))]) : entries;
    return Object.fromEntries(
      (decoded as [string, unknown][])
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, told(key, item)]),
    );
  }
  if (typeof value !== "string") return value;
  if (time.test(value)) return "a time";
  if (secret.test(name)) return `${name} of ${value.length > 0 ? "some" : "no"} length`;
  if (value.startsWith("-----BEGIN CERTIFICATE-----")) return certificates(value);
  return document(value);
}

/** Of a Secret's value what it stands for; other texts as they are. */
function plain(text: string): string {
  const decoded = Buffer.from(text, "base64");
  return decoded.toString("base64") === text ? decoded.toString() : text;
}

function document(text: string): unknown {
  if (!text.startsWith("{")) return text;
  return told("", JSON.parse(text));
}

function certificates(pem: string): readonly string[] {
  const all = pem.split(/(?<=-----END CERTIFICATE-----)\s*/u).filter((one) => one !== "");
  return all.map((one) => {
    const { subject, issuer, subjectAltName } = new X509Certificate(one);
    // An authority has a number of its own in its name.
    const [of, by] = [subject, issuer].map((text) => text.replace(/ [0-9a-f]{8}$/u, ""));
    return `${of ?? ""} by ${by ?? ""} for ${subjectAltName ?? "nobody"}`;
  });
}
