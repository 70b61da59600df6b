const statusClasses = ["2xx", "3xx", "4xx", "5xx"] as const;
const methods = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"];
/** Any client may invent methods: they must not become time series. */
const otherMethod = "OTHER";
/** Upper bounds in seconds. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** A request that is over. */
export interface RequestOutcome {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
  readonly received: number;
  readonly sent: number;
}

/** One value of a metric, as Prometheus has it. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface RouteCounts {
  /** By method, for each class of status. */
  readonly requests: Map<string, number[]>;
  /** For each bound how many took no longer, but longer than the bound before; and at last how many took longer than all. */
  readonly durations: number[];
  seconds: number;
  received: number;
  sent: number;
}

/** Counts requests in plain numbers: labels are put together when somebody reads them, not at each request. */
export class RequestCounts {
  private readonly routes = new Map<string, RouteCounts>();
  private running = 0;

  /** @param routes every route that will be counted, so that each begins at zero */
  constructor(routes: readonly { readonly name: string; readonly method: string }[]) {
    for (const { name, method } of routes) this.methodOf(this.routeOf(name), method);
  }

  get inFlight(): number {
    return this.running;
  }

  begin(): void {
    this.running++;
  }

  end({ route, method, status, seconds, received, sent }: RequestOutcome): void {
    this.running--;
    const counts = this.routeOf(route);
    const row = this.methodOf(counts, methods.includes(method) ? method : otherMethod);
    const statusClass = Math.floor(status / 100) - 2;
    const column = statusClass in statusClasses ? statusClass : statusClasses.indexOf("4xx");
    row[column] = (row[column] ?? 0) + 1;
    let bucket = 0;
    while (seconds > (bounds[bucket] ?? Infinity)) bucket++;
    counts.durations[bucket] = (counts.durations[bucket] ?? 0) + 1;
    counts.seconds += seconds;
    counts.received += received;
    counts.sent += sent;
  }

  /** How many, by route, method and class of status. */
  requests(): readonly Sample[] {
    return [...this.routes].flatMap(([route, { requests }]) =>
      [...requests].flatMap(([method, row]) =>
        statusClasses.map((status, i) => ({ labels: { route, method, status }, value: row[i] ?? 0 })),
      ),
    );
  }

  /** Bytes, by route. */
  bytes(direction: "received" | "sent"): readonly Sample[] {
    return [...this.routes].map(([route, counts]) => ({ labels: { route }, value: counts[direction] }));
  }

  /** How long they took, as the three series of a histogram: `_bucket`, which count from zero, `_sum` and `_count`. */
  durations(): readonly (Sample & { readonly series: "bucket" | "sum" | "count" })[] {
    return [...this.routes].flatMap(([route, { durations, seconds }]) => {
      let count = 0;
      const buckets = durations.map((more, i) => {
        count += more;
        const labels = { route, le: bounds[i] ?? "+Inf" };
        return { series: "bucket" as const, labels, value: count };
      });
      return [
        ...buckets,
        { series: "sum" as const, labels: { route }, value: seconds },
        { series: "count" as const, labels: { route }, value: count },
      ];
    });
  }

  private routeOf(name: string): RouteCounts {
    const known = this.routes.get(name);
    if (known !== undefined) return known;
    const durations = Array<number>(bounds.length + 1).fill(0);
    const made = { requests: new Map<string, number[]>(), durations, seconds: 0, received: 0, sent: 0 };
    this.routes.set(name, made);
    return made;
  }

  private methodOf({ requests }: RouteCounts, method: string): number[] {
    const known = requests.get(method);
    if (known !== undefined) return known;
    const made = [0, 0, 0, 0];
    requests.set(method, made);
    return made;
  }
}
