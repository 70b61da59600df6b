import { join } from "node:path";
import { run } from "../../e2e/harness/command.ts";
import type { Programs } from "../programs.ts";

export interface Rate {
  readonly requestsPerSecond: number;
  /** In milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface RateOptions {
  readonly url: string;
  /** A file with the paths to ask for, one a line. */
  readonly paths: string;
  readonly connections: number;
  readonly seconds: number;
  /** The header of that name. */
  readonly authorization?: string | undefined;
  /** Whether answers of 400 and above are what is asked for: else they are an error. */
  readonly refused?: boolean;
}

const accept = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/octet-stream",
].join(", ");

/** Keeps `connections` busy with small requests, by wrk: one thread, so that the server keeps a core. */
export async function measureRate(programs: Programs, options: RateOptions): Promise<Rate> {
  const { url, paths, connections, seconds, authorization, refused = false } = options;
  const headers = [
    `Accept: ${accept}`,
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
  ];
  const args = [
    ...["--threads", "1", "--connections", `${connections}`, "--duration", `${seconds}s`, "--latency"],
    ...headers.flatMap((header) => ["--header", header]),
    ...["--script", join(import.meta.dirname, "wrk.lua"), url],
  ];
  const env = { PATHS: paths, LD_LIBRARY_PATH: programs.libraries };
  const printed = await run(programs.wrk, args, { env, timeoutMs: seconds * 1000 + 30_000 });
  const line = printed.split("\n").find((each) => each.startsWith("{"));
  if (line === undefined) throw new Error(`wrk did not say what it measured: ${printed}`);
  const { failed, ...rate } = JSON.parse(line) as Rate & { readonly failed: number };
  if (failed > 0 && !refused) throw new Error(`${failed} requests to ${url} failed`);
  return rate;
}
