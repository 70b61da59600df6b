import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One write that the API server took, as its audit log has it. */
export interface LoggedWrite {
  readonly user: string;
  readonly verb: string;
  /** With its sub-resource: `connectedregistries/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly stageTimestamp: string;
}

/** Reads are not written down, and neither are Leases: they are renewed all the time. */
const policy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "None", verbs: ["get", "list", "watch"] },
    { level: "None", resources: [{ group: "coordination.k8s.io", resources: ["leases"] }] },
    { level: "Metadata" },
  ],
};

/** The API server's own account of who wrote what: all writes but those of Leases. */
export class WriteLog {
  readonly apiServerArgs: readonly string[];
  private readonly file: string;

  private constructor(file: string, apiServerArgs: readonly string[]) {
    this.file = file;
    this.apiServerArgs = apiServerArgs;
  }

  static async create(folder: string): Promise<WriteLog> {
    const [policyFile, file] = [join(folder, "audit-policy.json"), join(folder, "audit.log")];
    await writeFile(policyFile, JSON.stringify(policy));
    return new WriteLog(file, [`--audit-policy-file=${policyFile}`, `--audit-log-path=${file}`]);
  }

  /** The writes from `start` on, in milliseconds since 1970. */
  async since(start: number): Promise<readonly LoggedWrite[]> {
    const text = await readFile(this.file, "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => writeIn(JSON.parse(line) as AuditEvent))
      .filter(({ at }) => at >= start);
  }
}

function writeIn({ verb, user, objectRef = {}, responseStatus, stageTimestamp }: AuditEvent): LoggedWrite {
  const { resource = "", subresource, namespace = "", name = "" } = objectRef;
  return {
    user: user.username,
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: responseStatus?.code ?? 0,
    at: Date.parse(stageTimestamp),
  };
}

/** `12 patch connectedregistries/status`, the most first: for saying what was written although nothing should be. */
export function summaryOf(writes: readonly LoggedWrite[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { verb, resource, code } of writes) {
    const what = `${verb} ${resource}${code < 300 ? "" : ` (${code})`}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => `${count} ${what}`);
}

/** The most writes of one object within any span of `ms`. */
export function mostWithin(ms: number, writes: readonly LoggedWrite[]): number {
  const times = new Map<string, number[]>();
  for (const { namespace, name, at } of writes) {
    const key = `${namespace}/${name}`;
    times.set(key, [...(times.get(key) ?? []), at]);
  }
  let most = 0;
  for (const unsorted of times.values()) {
    const sorted = unsorted.sort((a, b) => a - b);
    let from = 0;
    for (const [to, at] of sorted.entries()) {
      while (at - (sorted[from] ?? at) >= ms) from += 1;
      most = Math.max(most, to - from + 1);
    }
  }
  return most;
}
