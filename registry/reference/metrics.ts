import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, systemClock } from "../../common/clock.ts";
import { tableOf } from "./table.ts";

const command = join(import.meta.dirname, "..", "..", "cli", "main.ts");
const patienceMs = 30_000;

/** `docs/reference/metrics.md`, from what a registry that runs tells Prometheus */
export async function metricsReference(): Promise<string> {
  const text = await liveMetrics();
  const families = [...text.matchAll(/^# HELP (connected_registry_\S+) (.*)\n# TYPE \S+ (\S+)$/gm)];
  if (families.length === 0) throw new Error("a registry that runs shows no metric of its own");
  const rows = families
    .map(([, name = "", help = "", type = ""]) => [`\`${name}\``, type, labelsOf(text, name), help])
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return `# The metrics of a registry

<!-- Made by "npm run generate" from the /metrics of a registry that runs: edit the help texts in the code. -->

\`/metrics\` is on the second port (\`--probes\`), in the text format of Prometheus. Counters begin at zero, so that a rate
is right from the first event on. Names, types and labels are an interface: they change with a note in the changelog
only. Beside these there are the usual ones of the process (\`process_*\`) and of Node (\`nodejs_*\`).

${tableOf(["Name", "Type", "Labels", "Meaning"], rows)}
`;
}

function labelsOf(text: string, name: string): string {
  const labels = new Set<string>();
  for (const [, pairs = ""] of text.matchAll(
    new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, "gm"),
  )) {
    for (const [, label = ""] of pairs.matchAll(/(\w+)="/g)) if (label !== "le") labels.add(label);
  }
  return labels.size === 0 ? "–" : [...labels].map((label) => `\`${label}\``).join(", ");
}

/** What a registry that has just started, and has seen nobody yet, tells Prometheus. */
export async function liveMetrics(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), "reference-"));
  const port = await freePort();
  const options = ["--data", data, "--listen", "127.0.0.1:0", "--probes", `127.0.0.1:${port}`];
  const registry = spawn(process.execPath, [command, "serve", ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const gone = once(registry, "exit");
  try {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      if (ready?.ok === true) break;
      deadline.throwIfAborted();
      if (registry.exitCode !== null) throw new Error("the registry did not start");
      await systemClock.sleep(milliseconds(50));
    }
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  } finally {
    registry.kill("SIGTERM");
    await gone;
    await rm(data, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
