import { ConflictError, type KubeClient } from "../../runtime/kube.ts";

/** What may happen to a call. */
export const troubles = [
  /** The API server is not there, or answers 500. */
  "fails",
  /** Somebody else was faster. */
  "conflicts",
  /** It takes effect, and nobody hears of it. */
  "loses its answer",
  /** The process ends before it. */
  "is never made",
  /** The process ends right after it. */
  "is the last",
] as const;
export type Trouble = (typeof troubles)[number];

export interface TroubleOptions {
  /** Which call of all that processes make one after another, from 0 on; none, if there are not so many. */
  readonly at: number;
  readonly trouble: Trouble;
  /** Another process has to take over. */
  readonly onEnd: () => void;
}

/** The calls of an operator, one of which meets trouble. */
export class TroubledCalls {
  /** All of them, in order, such as `apply Secret`. */
  readonly made: string[] = [];
  private readonly options: TroubleOptions;

  constructor(options: TroubleOptions) {
    this.options = options;
  }

  /** The cluster as a new process sees it. */
  process(cluster: KubeClient): KubeClient {
    const life = { ended: false };
    const call = <T>(what: string, make: () => Promise<T>): Promise<T> => this.call(life, what, make);
    return {
      get: (kind, key) => call(`get ${kind.kind}`, () => cluster.get(kind, key)),
      list: (kind, namespace) => call(`list ${kind.kind}`, () => cluster.list(kind, namespace)),
      apply: (kind, object) => call(`apply ${kind.kind}`, () => cluster.apply(kind, object)),
      applyStatus: (kind, key, status, version) =>
        call(`applyStatus ${kind.kind}`, () => cluster.applyStatus(kind, key, status, version)),
      create: (kind, object) => call(`create ${kind.kind}`, () => cluster.create(kind, object)),
      setFinalizers: (kind, key, finalizers, version) =>
        call(`setFinalizers ${kind.kind}`, () => cluster.setFinalizers(kind, key, finalizers, version)),
      delete: (kind, key, uid) => call(`delete ${kind.kind}`, () => cluster.delete(kind, key, uid)),
    };
  }

  private async call<T>(life: { ended: boolean }, what: string, make: () => Promise<T>): Promise<T> {
    if (life.ended) throw new TypeError("a process that has ended makes no calls");
    const { at, trouble, onEnd } = this.options;
    if (this.made.push(what) - 1 !== at) return await make();
    if (trouble === "fails") throw new TypeError("the API server answered 500");
    if (trouble === "conflicts") throw new ConflictError("somebody else was faster");
    if (trouble !== "is never made") await make();
    if (trouble === "loses its answer") throw new TypeError("the connection was lost");
    life.ended = true;
    onEnd();
    throw new TypeError("the process has ended");
  }
}
