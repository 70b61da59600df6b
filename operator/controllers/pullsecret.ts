import { few } from "../../common/few.ts";
import { ClientTokenKind, type ClientToken } from "../api/clienttoken.gen.ts";
import { NamespaceKind, SecretKind, type Namespace, type Secret } from "../api/kubernetes.ts";
import {
  acceptLabel,
  desiredPublished,
  destinationsOf,
  isPublishedBy,
  publisherOf,
} from "../resources/published.ts";
import {
  keyOf,
  keyText,
  NamespaceTerminatingError,
  type KubeClient,
  type KubeObject,
  type Lookup,
  type NamespacedName,
} from "../runtime/kube.ts";
import { watchOf, type WatchSpec } from "../runtime/reconciler.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { ensureFrom } from "./ensure.ts";

/**
 * Brings pull secrets into other namespaces, and takes them away again.
 *
 * # Guarantees
 * - Nothing is written where the namespace does not accept it, and nothing that is somebody else's is touched.
 * - What was published goes with the consent of either side, and with its ClientToken, even if that happened while no
 *   operator ran.
 */
export interface PullSecrets {
  readonly watches: readonly WatchSpec[];
  /** @returns what is to be said of it; `undefined` if it never was an issue */
  publish(
    client: KubeClient,
    token: ClientToken,
    credentials: Secret | undefined,
  ): Promise<Finding | undefined>;
  /** The token of this key is gone. */
  withdraw(client: KubeClient, key: NamespacedName): Promise<void>;
}

export function pullSecrets(dependencies: ControllerDependencies): PullSecrets {
  return dependencies.publishPullSecrets ? new Publishing(dependencies) : notPublishing;
}

/** Where the administrator did not allow it; what was published when they did stays as it is. */
const notPublishing: PullSecrets = {
  watches: [],
  publish: (_client, { spec }) =>
    Promise.resolve(
      spec.publish === undefined
        ? undefined
        : { kind: "notice", reason: "PublishDisabled", message: "Pull secrets are not published here." },
    ),
  withdraw: () => Promise.resolve(),
};

class Publishing implements PullSecrets {
  readonly watches: readonly WatchSpec[];
  private readonly accepting: Lookup<Namespace>;
  private readonly published: Lookup<KubeObject>;

  constructor({ watcher }: ControllerDependencies) {
    this.accepting = watcher.index(NamespaceKind, ({ metadata }) =>
      metadata.labels?.[acceptLabel] === "true" ? ["yes"] : [],
    );
    this.published = watcher.index(SecretKind, (secret) => {
      const publisher = publisherOf(secret);
      return publisher === undefined ? [] : [publisher];
    });
    const publishers = watcher.index(ClientTokenKind, ({ spec }) =>
      spec.publish === undefined ? [] : ["yes"],
    );
    this.watches = [
      watchOf(NamespaceKind, () => publishers("yes").map(keyOf)),
      watchOf(SecretKind, (before, after) =>
        [before, after].flatMap((secret) => {
          const [namespace = "", name = ""] = (secret && publisherOf(secret)?.split("/")) ?? [];
          return name === "" ? [] : [{ namespace, name }];
        }),
      ),
    ];
  }

  async publish(
    client: KubeClient,
    token: ClientToken,
    credentials: Secret | undefined,
  ): Promise<Finding | undefined> {
    const { accepted, refused } = destinationsOf(token, this.accepting("yes"));
    // Without credentials nothing is known that could be published, nor that anything is to go.
    if (credentials === undefined) return undefined;
    const desired = accepted.map((namespace) => desiredPublished(token, namespace, credentials));
    const wanted = new Set(desired.map((secret) => keyText(keyOf(secret))));
    for (const secret of this.published(keyText(keyOf(token)))) {
      if (wanted.has(keyText(keyOf(secret))) && isPublishedBy(secret, token)) continue;
      await client.delete(SecretKind, keyOf(secret), secret.metadata.uid);
    }
    const failed: string[] = [];
    for (const secret of desired) if (!(await put(client, secret))) failed.push(keyOf(secret).namespace);
    if (token.spec.publish === undefined) return wasSaid(token) ? notPublished : undefined;
    if (failed.length > 0) {
      const message = `Namespaces in which it cannot be made: ${few(failed)}.`;
      return { kind: "notice", reason: "PublishConflict", message };
    }
    if (refused.length > 0) {
      const message = `Namespaces that do not accept it: ${few(refused)}.`;
      return { kind: "notice", reason: "PublishNotAccepted", message };
    }
    const where = accepted.length === 0 ? "No namespace accepts it yet" : `It is in ${few(accepted)}`;
    return { kind: "fine", reason: "Published", message: `${where}.` };
  }

  async withdraw(client: KubeClient, key: NamespacedName): Promise<void> {
    for (const secret of this.published(keyText(key))) {
      await client.delete(SecretKind, keyOf(secret), secret.metadata.uid);
    }
  }
}

/** @returns whether `desired` is there then, or its namespace is about to go */
async function put(client: KubeClient, desired: Secret): Promise<boolean> {
  try {
    const present = await client.get(SecretKind, keyOf(desired));
    await ensureFrom(client, SecretKind, present, desired);
    return true;
  } catch (error) {
    if (error instanceof NamespaceTerminatingError) return true;
    if (error instanceof StalledError || error instanceof WaitingError) return false;
    throw error;
  }
}

const notPublished: Finding = {
  kind: "fine",
  reason: "NotPublished",
  message: "The pull secret is in no other namespace.",
};

/** Whether there is a condition that speaks of it, and would speak of it for ever. */
function wasSaid({ status }: ClientToken): boolean {
  return status?.conditions?.some(({ type }) => type === "PullSecretPublished") === true;
}
