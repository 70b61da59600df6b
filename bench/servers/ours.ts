import { randomBytes } from "node:crypto";
import { request } from "node:https";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashPassword } from "../../common/contract/password.ts";
import type { Program } from "../../e2e/cluster/daemon.ts";
import { freePort } from "../../e2e/cluster/free-port.ts";
import type { Programs } from "../programs.ts";
import { nodeAsInImage } from "./as-in-image.ts";
import { type Server, startServer } from "./server.ts";

const host = "127.0.0.1";
const user = "bench";
/** Has a password that a person brought, which nobody here knows. */
export const broughtUser = "person";

/** A registry of ours that can be started. */
export interface OurRegistry {
  readonly program: Program;
  readonly url: string;
  readonly probe: string;
  readonly status: string;
}

export interface OurServer extends Server {
  /** What clients send to log in with Basic. */
  readonly login: string;
  /** A bearer token for `repositories`, by the flow that clients use. */
  token(repositories: readonly string[]): Promise<string>;
}

export interface OurOptions {
  readonly folder: string;
  /** With TLS, and with a login instead of anonymous access. */
  readonly secure?: boolean;
  /** Writes a CPU profile there. */
  readonly profile?: string | undefined;
  /** A program with its options that runs Node, in place of itself. */
  readonly under?: readonly string[];
  /** A settings document; everybody may read then. */
  readonly document?: string;
}

/** As the image runs it: the bundle, the flags of Node, the allocator. */
export async function ourRegistry(
  programs: Programs,
  { folder, secure = false, profile, under = [], document }: OurOptions,
): Promise<OurRegistry & { readonly password: string }> {
  await mkdir(folder, { recursive: true });
  const [port, probes] = [await freePort(host), await freePort(host)];
  const password = randomBytes(32).toString("base64url");
  const configuration = join(folder, "configuration.json");
  await writeFile(configuration, JSON.stringify(settings(password)));
  const open =
    document === undefined ? ["--anonymous", "write"] : ["--anonymous", "read", "--config", document];
  const access = secure ? ["--config", configuration] : ["--http", ...open];
  const { flags, env } = nodeAsInImage(programs);
  const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  return {
    program: {
      name: secure ? "ours-secure" : "ours",
      command: under[0] ?? process.execPath,
      args: [
        ...(under.length === 0 ? [] : [...under.slice(1), process.execPath]),
        ...flags,
        ...profiling,
        programs.ours,
        "serve",
        ...["--listen", `${host}:${port}`, "--probes", `${host}:${probes}`],
        ...["--data", join(folder, "data"), ...access],
      ],
      env,
    },
    url: `${secure ? "https" : "http"}://${host}:${port}`,
    probe: `http://${host}:${probes}/readyz`,
    status: `http://${host}:${probes}/status`,
    password,
  };
}

export async function startOurs(
  programs: Programs,
  options: OurOptions,
  logs: string,
  signal: AbortSignal,
): Promise<OurServer> {
  const ours = await ourRegistry(programs, options);
  const server = await startServer(ours.program, ours.url, ours.probe, logs, signal);
  return {
    ...server,
    login: basic(user, ours.password),
    token: (repositories) => fetchToken(ours, repositories),
  };
}

/** The value of `Authorization` with which `name` logs in. */
export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}

async function fetchToken(
  { url, password }: OurRegistry & { readonly password: string },
  repositories: readonly string[],
): Promise<string> {
  const query = new URLSearchParams({ service: "bench" });
  for (const name of repositories) query.append("scope", `repository:${name}:pull,push`);
  const authorization = basic(user, password);
  return new Promise((resolve, reject) => {
    const options = { headers: { authorization }, rejectUnauthorized: false, agent: false as const };
    const sent = request(`${url}/oauth2/token?${query.toString()}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200) reject(new Error(`no token: ${text}`));
        else resolve((JSON.parse(text) as { readonly access_token: string }).access_token);
      });
    });
    sent.on("error", reject).end();
  });
}

function settings(password: string): object {
  const salt = randomBytes(16).toString("hex");
  const token = (name: string, kept: object): object => ({
    version: 1,
    name,
    status: "enabled",
    passwords: [{ name: "password1", salt, ...kept }],
    actions: ["repositories/*/content/read", "repositories/*/content/write", "repositories/*/metadata/read"],
  });
  return {
    version: 1,
    name: "bench",
    mode: "ReadWrite",
    clientTokens: [
      token(user, { algorithm: "sha256", hash: hashPassword(password, salt) }),
      token(broughtUser, { algorithm: "scrypt", hash: randomBytes(32).toString("hex") }),
    ],
  };
}
