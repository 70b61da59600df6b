import { seconds } from "../../common/clock.ts";
import { maxTrustLists, trustConfigMap, trustListName } from "../../common/contract/trust.ts";
import { messageOf } from "../../common/errors.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ConfigMapKind, SecretKind, ServiceKind } from "../api/kubernetes.ts";
import { addressesOf } from "../resources/addresses.ts";
import { certificatesIn } from "../resources/certificate-facts.ts";
import { isEncrypted, tlsSecretName } from "../resources/names.ts";
import { publicationIn } from "../resources/secrets.ts";
import { distribute } from "../resources/trust-lists.ts";
import { desiredTrustList, trustEntries, type TrustedRegistry } from "../resources/trust.ts";
import { awaitChange, requeueAfter } from "../runtime/action.ts";
import {
  keyOf,
  type KubeClient,
  type KubeObject,
  type KubeWatcher,
  type Lookup,
  type NamespacedName,
  type OwnerReference,
} from "../runtime/kube.ts";
import { OwnWrites } from "../runtime/own-writes.ts";
import { watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import { ensure } from "./ensure.ts";

/** Of what only a person can help with, such as a list that somebody else has made. */
const again = seconds(60);

/**
 * Tells the node agents, in as many ConfigMaps as it takes, which registries to trust. All of it is computed again at every change, so
 * that what is gone is forgotten, whatever happened while nobody looked.
 */
export function nodeTrustController(dependencies: ControllerDependencies): ControllerSpec {
  const { watcher, namespace, nodeTrustHosts } = dependencies;
  const own = new OwnWrites(dependencies.client);
  const { client } = own;
  const key: NamespacedName = { namespace, name: trustConfigMap };
  const certificates = new Certificates(client, watcher);
  const lists = new TrustLists(client, namespace);
  return own.overlooked({
    name: "nodetrust",
    workers: 1,
    // All of it is written at each change: of many that come at once only the last counts.
    settle: seconds(1),
    watches: [
      watchOf(ConnectedRegistryKind, (before, after) =>
        before?.metadata.generation === after?.metadata.generation ? [] : [key],
      ),
      watchOf(ServiceKind, (before, after) => (registriesOf(after ?? before).length > 0 ? [key] : [])),
      watchOf(SecretKind, (before, after) => (isTlsSecret(after ?? before) ? [key] : [])),
      // Also puts the map right at the start, if the last registry went while we were away.
      watchOf(ConfigMapKind, (_, after) => (after !== undefined && lists.has(after) ? [key] : [])),
    ],
    reconciler: {
      async reconcile(_, { log }) {
        const trusted: TrustedRegistry[] = [];
        for (const registry of await client.list(ConnectedRegistryKind)) {
          // Also one that is being deleted: while that is held up it serves.
          if (!registry.spec.trustDistribution.enabled) continue;
          const service = await client.get(ServiceKind, keyOf(registry));
          const addresses = service === undefined ? undefined : addressesOf(service);
          if (addresses === undefined) continue;
          const encryption = isEncrypted(registry) ? await certificates.of(registry) : undefined;
          if (encryption !== undefined) trusted.push({ registry, addresses, encryption });
          else if (!isEncrypted(registry)) trusted.push({ registry, addresses });
        }
        try {
          const leftOut = await lists.write(trustEntries(trusted, nodeTrustHosts));
          if (leftOut.length === 0) return awaitChange;
          log.error("nodes are not told of these registries: their lists are full", { registries: leftOut });
        } catch (error) {
          if (!(error instanceof StalledError || error instanceof WaitingError)) throw error;
          log.error("nodes cannot be told which registries to trust", { problem: messageOf(error) });
        }
        return requeueAfter(again);
      },
    },
  });
}

/** The ConfigMaps that agents read. */
class TrustLists {
  private readonly client: KubeClient;
  private readonly namespace: string;
  private readonly names = Array.from({ length: maxTrustLists }, (_, at) =>
    trustListName(trustConfigMap, at),
  );

  constructor(client: KubeClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  has({ metadata }: KubeObject): boolean {
    return metadata.namespace === this.namespace && this.names.includes(metadata.name);
  }

  /**
   * What moves from one list to another is in both for a while, and never in none: first those that get something, then
   * the one that says how many there are, then the others.
   *
   * @returns the keys for which there is no room
   */
  async write(entries: ReadonlyMap<string, string>): Promise<readonly string[]> {
    const { lists, gaining, leftOut } = distribute(entries, await this.present());
    const [gainers, rest] = [
      [...lists.keys()].filter((at) => at > 0 && gaining.has(at)),
      [...lists.keys()].filter((at) => at > 0 && !gaining.has(at)),
    ];
    for (const at of [...gainers, 0, ...rest]) {
      const place = { at, count: lists.length, namespace: this.namespace };
      await ensure(this.client, ConfigMapKind, desiredTrustList(lists[at] ?? new Map(), place));
    }
    return leftOut;
  }

  /** The keys in each list. One that somebody deleted is made again. */
  private async present(): Promise<readonly (readonly string[])[]> {
    const found = await this.client.list(ConfigMapKind, this.namespace);
    const byName = new Map(found.map((list) => [list.metadata.name, Object.keys(list.data ?? {})]));
    const last = this.names.findLastIndex((name) => byName.has(name));
    return this.names.slice(0, last + 1).map((name) => byName.get(name) ?? []);
  }
}

type Encryption = NonNullable<TrustedRegistry["encryption"]>;

/**
 * The certificates of registries, and their authorities. Each is read once for each version of its Secret, of which a
 * cache may hold no more than the metadata; they are no secrets.
 */
class Certificates {
  private readonly client: KubeClient;
  private readonly secretsOf: Lookup<KubeObject>;
  private readonly known = new Map<
    string,
    { readonly version: string | undefined; readonly encryption: Encryption | undefined }
  >();

  constructor(client: KubeClient, watcher: Pick<KubeWatcher, "index">) {
    this.client = client;
    this.secretsOf = watcher.index(SecretKind, (secret) =>
      isTlsSecret(secret) ? registriesOf(secret).map(({ uid }) => uid) : [],
    );
  }

  async of({ metadata }: ConnectedRegistry): Promise<Encryption | undefined> {
    const uid = metadata.uid ?? "";
    const [secret] = this.secretsOf(uid);
    if (secret === undefined) {
      this.known.delete(uid);
      return undefined;
    }
    const known = this.known.get(uid);
    if (known !== undefined && known.version === secret.metadata.resourceVersion) return known.encryption;
    const read = await this.client.get(SecretKind, keyOf(secret));
    const publication = read === undefined ? undefined : publicationIn(read);
    const [certificate] = certificatesIn(publication?.server.certificate ?? "");
    const encryption =
      publication === undefined || certificate === undefined
        ? undefined
        : { certificate, authorities: publication.authorities };
    this.known.set(uid, { version: read?.metadata.resourceVersion, encryption });
    return encryption;
  }
}

function registriesOf(object: KubeObject | undefined): readonly OwnerReference[] {
  const { apiVersion, kind } = ConnectedRegistryKind;
  return (object?.metadata.ownerReferences ?? []).filter(
    (owner) => owner.apiVersion === apiVersion && owner.kind === kind,
  );
}

function isTlsSecret(object: KubeObject | undefined): boolean {
  return registriesOf(object).some(({ name }) => object?.metadata.name === tlsSecretName(name));
}
