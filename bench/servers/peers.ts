import { randomBytes } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Program } from "../../e2e/cluster/daemon.ts";
import { freePort } from "../../e2e/cluster/free-port.ts";
import type { Programs } from "../programs.ts";
import { nodeAsInImage } from "./as-in-image.ts";
import { type Server, startServer } from "./server.ts";

const host = "127.0.0.1";

/**
 * CNCF distribution with the filesystem driver and the cache of descriptors in memory that its own default
 * configuration has. No access log, no traces, errors only in its log: it is as fast as it can be.
 */
export async function startDistribution(
  programs: Programs,
  folder: string,
  logs: string,
  signal: AbortSignal,
): Promise<Server> {
  const address = `${host}:${await freePort(host)}`;
  const program = await distributionAt(programs, address, {}, folder);
  return startServer(program, `http://${address}`, `http://${address}/v2/`, logs, signal);
}

/** As `startDistribution` starts it: to serve on `address`, with `http` beside what we say of that ourselves. */
export async function distributionAt(
  { distribution }: Programs,
  address: string,
  http: object,
  folder: string,
): Promise<Program> {
  await mkdir(folder, { recursive: true });
  const configuration = join(folder, "config.json");
  await writeFile(
    configuration,
    JSON.stringify({
      version: "0.1",
      log: { level: "error", accesslog: { disabled: true } },
      storage: {
        filesystem: { rootdirectory: join(folder, "data") },
        cache: { blobdescriptor: "inmemory" },
        delete: { enabled: true },
      },
      http: { addr: address, secret: randomBytes(32).toString("base64url"), ...http },
    }),
  );
  const env = { PATH: "/usr/bin:/bin", OTEL_TRACES_EXPORTER: "none" };
  return { name: "distribution", command: distribution, args: ["serve", configuration], env };
}

/** nginx with sendfile over the plain files below `root`: the ceiling. One worker per core, no access log. */
export async function startNginx(
  { nginx, libraries }: Programs,
  folder: string,
  root: string,
  logs: string,
  signal: AbortSignal,
): Promise<Server> {
  const port = await freePort(host);
  await mkdir(join(folder, "scratch"), { recursive: true });
  await mkdir(root, { recursive: true });
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${join(folder, "scratch", kind)};`)
    .join(" ");
  const configuration = join(folder, "nginx.conf");
  await writeFile(
    configuration,
    `user root; daemon off; worker_processes auto; pid ${join(folder, "nginx.pid")};
error_log stderr error;
events { worker_connections 4096; }
http {
  ${scratch}
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  default_type application/octet-stream;
  server { listen ${host}:${port}; root ${root}; }
}
`,
  );
  await chmod(root, 0o755);
  const url = `http://${host}:${port}`;
  const args = ["-p", folder, "-e", "stderr", "-c", configuration];
  const env = { PATH: "/usr/bin:/bin", LD_LIBRARY_PATH: libraries };
  return startServer({ name: "nginx", command: nginx, args, env }, url, `${url}/`, logs, signal);
}

/** Node's own HTTP server that answers everything with the same bytes: what no program on Node can be faster than. */
export async function startBareNode(
  programs: Programs,
  bytes: number,
  logs: string,
  signal: AbortSignal,
): Promise<Server> {
  const port = await freePort(host);
  const url = `http://${host}:${port}`;
  const { flags, env } = nodeAsInImage(programs);
  const args = [...flags, join(import.meta.dirname, "bare-node.ts"), `${port}`, `${bytes}`];
  return startServer({ name: "bare-node", command: process.execPath, args, env }, url, url, logs, signal);
}
