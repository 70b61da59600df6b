import { run, type CommandOptions } from "./command.ts";
import { eventually } from "./eventually.ts";

/** The parts of an object that the story looks at. */
export interface SeenObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: SeenStatus;
  readonly data?: Readonly<Record<string, string>>;
}

interface SeenStatus {
  readonly connectionState?: string;
  readonly lastSyncTime?: string;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
  }[];
  readonly phase?: string;
  readonly containerStatuses?: readonly { readonly imageID: string; readonly ready: boolean }[];
}

/** `kubectl` as a person uses it, with one cluster's kubeconfig. */
export class Kubectl {
  readonly path: string;
  private readonly kubeconfig: string | undefined;
  private readonly context: readonly string[];

  /** Without `kubeconfig`, what `kubectl` finds by itself. */
  constructor(path: string, kubeconfig: string | undefined, context?: string) {
    this.path = path;
    this.kubeconfig = kubeconfig;
    this.context = context === undefined ? [] : ["--context", context];
  }

  run(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const env = this.kubeconfig === undefined ? {} : { KUBECONFIG: this.kubeconfig };
    return run(this.path, [...this.context, ...args], { ...options, env: { ...env, ...options.env } });
  }

  /** `kubectl apply` of a file, a folder, or objects. */
  async apply(what: string | readonly object[]): Promise<void> {
    if (typeof what === "string") await this.run(["apply", "-f", what]);
    else {
      const list = { apiVersion: "v1", kind: "List", items: what };
      await this.run(["apply", "-f", "-"], { input: JSON.stringify(list) });
    }
  }

  async get(resource: string, name: string, namespace: string): Promise<SeenObject | undefined> {
    const out = await this.run(["get", resource, name, "-n", namespace, "--ignore-not-found", "-o", "json"]);
    return out === "" ? undefined : (JSON.parse(out) as SeenObject);
  }

  async list(resources: string, namespace: string, selector = ""): Promise<readonly SeenObject[]> {
    const out = await this.run(["get", resources, "-n", namespace, "-l", selector, "-o", "json"]);
    return (JSON.parse(out) as { items: readonly SeenObject[] }).items;
  }

  /** Waits until `holds` is true of the object. */
  until(
    resource: string,
    name: string,
    namespace: string,
    what: string,
    timeoutMs: number,
    holds: (object: SeenObject) => boolean,
  ): Promise<SeenObject> {
    return eventually(`${resource}/${name} ${what}`, timeoutMs, async () => {
      const object = await this.get(resource, name, namespace);
      if (object === undefined) throw new Error("there is no such object");
      if (!holds(object)) throw new Error(`its status is ${JSON.stringify(object.status)}`);
      return object;
    });
  }
}

/** Whether the object has a condition of `type` with status True. */
export function isTrue(object: SeenObject, type: string): boolean {
  return (
    object.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ??
    false
  );
}

/** The text of a Secret's key. */
export function secretText(secret: SeenObject, key: string): string {
  const value = secret.data?.[key];
  if (value === undefined) throw new Error(`Secret ${secret.metadata.name} has no key ${key}`);
  return Buffer.from(value, "base64").toString();
}
