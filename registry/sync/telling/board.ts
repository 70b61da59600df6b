import type {
  ConnectionState,
  LinkStatus,
  PlanStatus,
  Postponement,
  RegistryStatus,
  ResyncStatus,
  StatusDetail,
  SyncStatus,
} from "../../../common/contract/status.ts";
import type { UpStatus } from "../../../common/contract/up-status.ts";
import type { Clock } from "../../../common/clock.ts";
import { clip } from "../clip.ts";

/** Whether the parent answers. A registry without a parent has nobody to lose. */
export type Contact = "none" | "unknown" | "online" | "offline";

/** What a registry knows of itself; `statusOf` makes a status of it. */
export interface StatusFacts {
  readonly version: string;
  readonly contact: Contact;
  /** Whether content is being copied now. */
  readonly copying: boolean;
  /** Whether content goes up to the parent now. */
  readonly sending: boolean;
  readonly lastActivityTime?: string;
  readonly lastSyncTime?: string | undefined;
  readonly upToDateAsOf?: string | undefined;
  readonly sync?: SyncStatus | undefined;
  readonly postponed?: Postponement | undefined;
  readonly link?: LinkStatus;
  readonly up?: UpStatus | undefined;
  readonly plan?: PlanStatus | undefined;
  readonly drained?: string | undefined;
  readonly resync?: ResyncStatus | undefined;
  readonly details: ReadonlyMap<string, StatusDetail>;
}

/** ACR's four states: nothing else can be told while the parent is away, and a fault outweighs being busy. */
export function connectionState({ contact, details, copying, sending }: StatusFacts): ConnectionState {
  if (contact === "offline" || contact === "unknown") return "Offline";
  if (details.size > 0) return "Unhealthy";
  return copying || sending ? "Syncing" : "Online";
}

function statusOf(facts: StatusFacts): RegistryStatus {
  const {
    version,
    contact,
    lastActivityTime,
    lastSyncTime,
    upToDateAsOf,
    sync,
    postponed,
    link,
    up,
    plan,
    drained,
    resync,
    details,
  } = facts;
  return {
    connectionState: connectionState(facts),
    version,
    ...(lastActivityTime === undefined ? {} : { lastActivityTime }),
    ...(lastSyncTime === undefined ? {} : { lastSyncTime }),
    ...(upToDateAsOf === undefined ? {} : { upToDateAsOf }),
    ...(sync === undefined ? {} : { sync }),
    ...(postponed === undefined ? {} : { postponed }),
    ...(link === undefined || contact === "none" ? {} : { link }),
    ...(up === undefined ? {} : { up }),
    ...(plan === undefined ? {} : { plan }),
    ...(drained === undefined ? {} : { drained }),
    ...(resync === undefined ? {} : { resync }),
    statusDetails: [...details.values()].sort((a, b) => (a.type + a.code < b.type + b.code ? -1 : 1)),
  };
}

/** The present state of the registry: whoever learns something writes it here, `/status` and the reporter read it. */
export class StatusBoard {
  private facts: StatusFacts;
  private readonly clock: Clock;
  private readonly newId: () => string;
  private readonly listeners = new Set<() => void>();

  /** @param newId makes correlation ids that nobody used before, such as `randomUUID` */
  constructor(version: string, clock: Clock, newId: () => string) {
    this.facts = { version, contact: "unknown", copying: false, sending: false, details: new Map() };
    this.clock = clock;
    this.newId = newId;
  }

  get current(): RegistryStatus {
    return statusOf(this.facts);
  }

  get contact(): Contact {
    return this.facts.contact;
  }

  /** Calls `listener` after every change, until the function that it returns is called. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  update(changed: Partial<Omit<StatusFacts, "version" | "details">>): void {
    this.facts = { ...this.facts, ...changed };
    for (const listener of this.listeners) listener();
  }

  /** The parent has answered something just now. */
  touch(): void {
    this.facts = { ...this.facts, lastActivityTime: this.clock.now().toISO() };
  }

  /** Says, or takes back, that `type` has a fault; time and id stay those of its first appearance. */
  setFault(type: string, fault: Pick<StatusDetail, "code" | "description"> | undefined): void {
    const known = this.facts.details.get(type);
    const description = clip(fault?.description ?? "");
    if (known?.code === fault?.code && (known?.description ?? "") === description) return;
    const details = new Map(this.facts.details);
    if (fault === undefined) details.delete(type);
    else {
      const { code } = fault;
      const timestamp = this.clock.now().toISO();
      details.set(type, { type, code, description, timestamp, correlationId: this.newId() });
    }
    this.facts = { ...this.facts, details };
    for (const listener of this.listeners) listener();
  }
}
