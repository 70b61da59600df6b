import { hash } from "bcryptjs";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { hasCode } from "../../common/errors.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { writeIdentity, writeSecret } from "../cluster/control-plane.ts";
import { type Daemon, isRunning, startDaemon, stopDaemon, untilReady } from "../cluster/daemon.ts";
import { Ledger } from "../cluster/ledger.ts";
import { atSite } from "../cluster/network.ts";
import { createAuthority } from "../cluster/pki.ts";
import { type ClusterPlan, parentHost, ports } from "../cluster/plan.ts";
import type { ProgramPaths } from "../cluster/programs.ts";

/** A real registry at the parent site, with TLS from a CA of its own and with one user. */
export interface ParentSite {
  /** Its name, with the port, as the edge knows it: by way of the WAN. */
  readonly host: string;
  /** Its address, with the port, as this machine reaches it whatever happens to the WAN. In its certificate too. */
  readonly hostAddress: string;
  readonly caPem: string;
  readonly username: string;
  readonly password: string;
  /** What it holds stays, for the next `startParent`. */
  stop(): Promise<void>;
}

interface Credentials {
  readonly caPem: string;
  readonly username: string;
  readonly password: string;
}

const name = "parent";

/** Starts CNCF distribution at the parent site, unless it runs. It ends with the cluster. */
export async function startParent(
  { plan }: Cluster,
  paths: ProgramPaths<"registry">,
  signal: AbortSignal,
): Promise<ParentSite> {
  const directory = join(plan.directory, name);
  const ledger = new Ledger(directory);
  const credentials = (await readCredentials(directory)) ?? (await furnish(plan, directory));
  const running = (await ledger.daemons()).find((daemon) => isRunning(daemon));
  const daemon = running ?? (await ledger.record(await start(plan, directory, await paths.registry)));
  const site: ParentSite = {
    ...credentials,
    host: `${parentHost}:${ports.parent}`,
    hostAddress: `${plan.parent.address}:${ports.parent}`,
    stop: () => stopDaemon(daemon, 5_000),
  };
  await untilReady(daemon, [], () => demandsLogin(site), 20_000, signal);
  return site;
}

function start(plan: ClusterPlan, directory: string, registry: string): Promise<Daemon> {
  const program = atSite(plan.parent, registry, ["serve", join(directory, "config.json")]);
  // Its default is to send traces to a collector on this machine.
  const env = { PATH: "/usr/bin:/bin", OTEL_TRACES_EXPORTER: "none" };
  return startDaemon({ name, ...program, env }, plan.logs);
}

/** `undefined` before the first start. */
async function readCredentials(directory: string): Promise<Credentials | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, "credentials.json"), "utf8")) as Credentials;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Makes certificate, user and configuration. The credentials are written last: with them, everything is there. */
async function furnish(plan: ClusterPlan, directory: string): Promise<Credentials> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const authority = await createAuthority("Contoso");
  const server = await authority.issue({
    commonName: parentHost,
    dnsNames: [parentHost],
    addresses: [plan.parent.address, plan.parent.wanAddress],
  });
  await writeIdentity(directory, "tls", server);
  const password = randomBytes(32).toString("base64url");
  const credentials = { caPem: authority.certPem, username: "contoso", password };
  // It is checked with every request, and 256 random bits need no slow hash: the least cost there is.
  const entry = `${credentials.username}:${await hash(password, 4)}\n`;
  await writeSecret(directory, "htpasswd", entry);
  await writeFile(join(directory, "config.json"), JSON.stringify(configuration(directory), undefined, 2), {
    mode: 0o600,
  });
  await writeSecret(directory, "credentials.json", JSON.stringify(credentials));
  return credentials;
}

/** Of distribution. JSON is YAML. */
function configuration(directory: string): object {
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: join(directory, "data") },
      delete: { enabled: true },
    },
    http: {
      addr: `:${ports.parent}`,
      secret: randomBytes(32).toString("base64url"),
      tls: { certificate: join(directory, "tls.crt"), key: join(directory, "tls.key") },
    },
    auth: { htpasswd: { realm: "Contoso", path: join(directory, "htpasswd") } },
  };
}

async function demandsLogin({ hostAddress, caPem }: ParentSite): Promise<void> {
  const outgoing = request(`https://${hostAddress}/v2/`, { ca: caPem, timeout: 2_000 }).end();
  outgoing.once("timeout", () => outgoing.destroy(new Error("no answer")));
  const [response] = (await once(outgoing, "response")) as [{ statusCode?: number; resume: () => void }];
  response.resume();
  if (response.statusCode !== 401) throw new Error(`it answers ${response.statusCode ?? 0}, not 401`);
}
