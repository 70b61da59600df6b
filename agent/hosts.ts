import { messageOf } from "../common/errors.ts";
import { parseTrustEntry, type TrustEntry } from "../common/contract/trust.ts";

/** The files of one folder of `certs.d`: name and content, in the order in which they may appear. */
export type HostFiles = ReadonlyMap<string, string>;

export interface DesiredHosts {
  /** By the name of the folder. */
  readonly hosts: ReadonlyMap<string, HostFiles>;
  /** Sentences on what cannot be done, sorted. */
  readonly problems: readonly string[];
}

/** Begins every file that is ours. Both formats let it stand: TOML as a comment, PEM as text before the first block. */
export const marker = "# Written by the node agent of Connected Registry";

export const caFile = "ca.crt";
export const hostsFile = "hosts.toml";

/**
 * What containerd should find in `certs.d`, from the data of the trust ConfigMap. An entry that cannot be read, and a
 * host that another registry has already, are left out and told; of two registries the first by key wins, on every
 * node alike.
 */
export function desiredHosts(data: Readonly<Record<string, string>>): DesiredHosts {
  const hosts = new Map<string, HostFiles>();
  const owners = new Map<string, string>();
  const problems: string[] = [];
  for (const key of Object.keys(data).sort()) {
    let entry: TrustEntry;
    try {
      entry = parseTrustEntry(JSON.parse(data[key] ?? ""));
    } catch (error) {
      problems.push(`the entry ${key} cannot be read: ${messageOf(error)}`);
      continue;
    }
    for (const host of new Set(entry.hosts)) {
      const owner = owners.get(host);
      if (owner === undefined) {
        owners.set(host, key);
        hosts.set(host, filesOf(key, entry));
      } else problems.push(`${host} is ${owner}'s, so ${key} cannot have it`);
    }
  }
  return { hosts, problems };
}

/**
 * The CA comes first: a `hosts.toml` that names a file which is not there would fail every pull. It is named by a
 * relative path, which containerd reads from the folder of `hosts.toml`, wherever the node has that.
 */
function filesOf(key: string, { server, ca = "" }: TrustEntry): HostFiles {
  const header = `${marker} for ${key}. Changes are overwritten.\n`;
  // At the top level these settings are those of `server`. As a [host] it would be tried twice when it is away.
  // Its own default is half a minute, which kubelets wait for each image while a registry is away (T55).
  const trust = ca === "" ? "" : `ca = "${caFile}"\n`;
  const hosts = `server = "${server}"\ncapabilities = ["pull", "resolve"]\n${trust}dial_timeout = "5s"\n`;
  const authorities: [string, string][] = ca === "" ? [] : [[caFile, `${header}${ca.trimEnd()}\n`]];
  return new Map([...authorities, [hostsFile, `${header}\n${hosts}`]]);
}
