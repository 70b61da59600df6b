import type { Subject } from "./subject.ts";

/** One thing that the OCI distribution specification (1.1, or its main branch) demands of a registry. */
interface Requirement {
  /** Stable: results are compared by it. */
  readonly id: string;
  readonly level: "MUST" | "SHOULD" | "MAY";
  /** A row that writes must be refused by a ReadOnly registry, at its first write. */
  readonly kind: "read" | "write";
  /** What it demands, in our words. */
  readonly says: string;
  /** Passes if the registry does as demanded. */
  readonly check: (registry: Subject) => Promise<void>;
}

/** The requirements of one section of the specification. */
export interface Section {
  readonly title: string;
  readonly requirements: readonly Requirement[];
}
