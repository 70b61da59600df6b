import { trustListCount, trustListName } from "../common/contract/trust.ts";
import type { ClusterApi } from "../common/cluster/api.ts";

interface ConfigMap {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

export interface TrustSource {
  readonly namespace: string;
  /** The first list's. */
  readonly configMap: string;
}

type Entries = Readonly<Record<string, string>>;

interface Follower {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/**
 * The lists of registries that the operator keeps, as one. The first says how many there are.
 *
 * # Guarantees
 * Nothing is told before every list has been read once; and while one of them is not there, that is told instead of
 * what the others say: a list that is lost is not an empty list.
 */
export class TrustLists {
  private readonly api: Pick<ClusterApi, "follow">;
  private readonly source: TrustSource;
  private readonly seen = new Map<number, ConfigMap | undefined>();
  private readonly followers = new Map<number, Follower>();
  private count = 1;

  constructor(api: Pick<ClusterApi, "follow">, source: TrustSource) {
    this.api = api;
    this.source = source;
  }

  /** Calls `onChange` with all entries after every change, until `signal` aborts; `undefined` while a list is missing. */
  async run(signal: AbortSignal, onChange: (entries: Entries | undefined) => void): Promise<void> {
    await this.follow(0, signal, () => {
      const first = this.seen.get(0);
      if (first !== undefined) this.count = trustListCount(first.metadata?.annotations);
      this.adjust(signal, onChange);
      this.tell(onChange);
    });
    await Promise.all([...this.followers.values()].map(({ done }) => done));
  }

  private adjust(signal: AbortSignal, onChange: (entries: Entries | undefined) => void): void {
    for (let at = 1; at < this.count; at++) {
      if (this.followers.has(at)) continue;
      const stop = new AbortController();
      const done = this.follow(at, AbortSignal.any([signal, stop.signal]), () => {
        if (!stop.signal.aborted) this.tell(onChange);
      });
      this.followers.set(at, { stop, done });
    }
    for (const [at, { stop }] of this.followers) {
      if (at < this.count) continue;
      stop.abort();
      this.followers.delete(at);
      this.seen.delete(at);
    }
  }

  private async follow(at: number, signal: AbortSignal, onChange: () => void): Promise<void> {
    const { namespace, configMap } = this.source;
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    for await (const list of this.api.follow<ConfigMap>(path, trustListName(configMap, at), signal)) {
      this.seen.set(at, list);
      onChange();
    }
  }

  private tell(onChange: (entries: Entries | undefined) => void): void {
    const all = Array.from({ length: this.count }, (_, at) => at);
    // One that has not been read yet is neither there nor lost.
    if (!all.every((at) => this.seen.has(at))) return;
    const lists = all.map((at) => this.seen.get(at));
    if (lists.includes(undefined)) onChange(undefined);
    else onChange(Object.assign({}, ...lists.map((list) => list?.data ?? {})) as Entries);
  }
}
