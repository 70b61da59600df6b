import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { desiredHosts } from "../../agent/hosts.ts";
import { type Daemon, startDaemon, stopDaemon, untilReady } from "../cluster/daemon.ts";
import { provide } from "../components/provide.ts";
import { silentProgress } from "../terminal/progress.ts";
import { ClientCommand } from "./client-command.ts";
import type { Person, Site } from "./site.ts";

/** What belongs to Kubernetes. */
const unused = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.nri.v1.nri",
];

/** A containerd of its own, without Kubernetes' plugins, which knows the registry as a node does: by what the agent writes. */
export class Containerd {
  private readonly ctr: ClientCommand;
  private readonly daemon: Daemon;
  private readonly folder: string;
  private readonly host: string;

  private constructor(ctr: ClientCommand, daemon: Daemon, folder: string, host: string) {
    this.ctr = ctr;
    this.daemon = daemon;
    this.folder = folder;
    this.host = host;
  }

  /** Ready when it resolves. */
  static async start({ folder: parent, host, caFile }: Site): Promise<Containerd> {
    const folder = join(parent, "containerd");
    const [hosts, pushHosts] = ["hosts", "push-hosts"].map((name) => join(folder, name, host)) as [
      string,
      string,
    ];
    for (const each of [hosts, pushHosts]) await mkdir(each, { recursive: true });
    const entry = {
      version: 1,
      hosts: [host],
      server: `https://${host}`,
      ca: await readFile(caFile, "utf8"),
    };
    const files = desiredHosts({ "edge.contoso": JSON.stringify(entry) }).hosts.get(host) ?? [];
    for (const [name, text] of files) await writeFile(join(hosts, name), text);
    // Nodes only pull.
    await writeFile(join(pushHosts, "hosts.toml"), `server = "https://${host}"\nca = "${caFile}"\n`);
    const socket = join(folder, "containerd.sock");
    const settings = join(folder, "config.toml");
    await writeFile(settings, configuration(folder, socket));
    const paths = provide(["containerd"], silentProgress, AbortSignal.timeout(590_000));
    const ctr = await ClientCommand.create("ctr", join(folder, "home"), { CONTAINERD_ADDRESS: socket });
    const program = { name: "containerd", command: await paths.containerd, args: ["--config", settings] };
    const daemon = await startDaemon(program, folder);
    const containerd = new Containerd(ctr, daemon, folder, host);
    try {
      await untilReady(daemon, [], () => ctr.run(["version"]), 30_000);
    } catch (error) {
      await containerd.stop();
      throw error;
    }
    return containerd;
  }

  /** Where it keeps content, as in an OCI image layout. */
  get content(): string {
    return join(this.folder, "root", "io.containerd.content.v1.content");
  }

  /** Has it ask a mirror before the registry itself, as people add one to what the agent wrote. @param mirror its origin */
  async askFirst(mirror: string): Promise<void> {
    const file = join(this.folder, "hosts", this.host, "hosts.toml");
    const [own = ""] = (await readFile(file, "utf8")).split("[host");
    await writeFile(
      file,
      `${own}[host."${mirror}"]\ncapabilities = ["pull", "resolve"]\nskip_verify = true\n`,
    );
  }

  run(args: readonly string[]): Promise<string> {
    return this.ctr.run(args);
  }

  /** Pulls or pushes as this person. */
  transfer(verb: "pull" | "push", person: Person, ...args: readonly string[]): Promise<string> {
    const user = ["--user", `${person.name}:${person.password}`];
    const hosts = join(this.folder, verb === "pull" ? "hosts" : "push-hosts");
    return this.run(["images", verb, "--hosts-dir", hosts, ...user, ...args]);
  }

  async stop(): Promise<void> {
    await stopDaemon(this.daemon, 5_000);
  }
}

/** JSON's strings and lists are TOML's. */
function configuration(folder: string, socket: string): string {
  const value = JSON.stringify;
  return `version = 3
root = ${value(join(folder, "root"))}
state = ${value(join(folder, "state"))}
disabled_plugins = ${value(unused)}

[grpc]
  address = ${value(socket)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${value(join(folder, "opt"))}

# Works on every disk, unlike overlay mounts.
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
  platform = "linux"
  snapshotter = "native"
`;
}
