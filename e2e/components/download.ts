import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { messageOf } from "../../common/errors.ts";
import type { Report } from "../terminal/progress.ts";
import type { Bundle, Platform, Release, Source } from "./bundle.ts";

const checksumLimit = 1 << 20;
const releaseLimit = 1 << 30;
const stallMilliseconds = 60_000;

type Fetch = typeof fetch;

/** Downloads what the components' own projects publish, and uses it only if it has the published checksum. */
export class ReleaseSource implements Source {
  readonly parallel = 3;
  private readonly platform: Platform;
  private readonly fetch: Fetch;

  constructor(platform: Platform, fetchFile: Fetch = fetch) {
    this.platform = platform;
    this.fetch = fetchFile;
  }

  title(bundle: Bundle): string {
    return `Download ${bundle.name} ${bundle.version}`;
  }

  async obstacle(bundle: Bundle): Promise<string | undefined> {
    if (bundle.releases(this.platform).length > 0) return undefined;
    return `there is no official download for ${this.platform.os}/${this.platform.arch}`;
  }

  async obtain(bundle: Bundle, folder: string, report: Report, signal: AbortSignal): Promise<void> {
    const releases = bundle.releases(this.platform);
    for (const [index, release] of releases.entries()) {
      const file = join(folder, ".download");
      const name = basename(release.url);
      const expected = await this.checksum(release, signal);
      const actual = await this.save(release.url, file, signal, (fraction) => {
        report(fraction === undefined ? undefined : (index + fraction) / releases.length, name);
      });
      if (actual !== expected) {
        throw new Error(
          `${release.url} has the SHA-256 checksum ${actual}, but ${expected} was published for it`,
        );
      }
      await unpack(release, file, folder);
    }
  }

  private async checksum(release: Release, signal: AbortSignal): Promise<string> {
    const response = await this.get(release.checksumUrl, signal);
    const text = await readText(response, checksumLimit);
    const checksum = publishedChecksum(text, basename(release.url));
    if (checksum === undefined)
      throw new Error(`${release.checksumUrl} has no checksum of ${basename(release.url)}`);
    return checksum;
  }

  /** Saves what `url` holds, and answers its SHA-256 checksum. */
  private async save(
    url: string,
    file: string,
    signal: AbortSignal,
    progress: (fraction: number | undefined) => void,
  ): Promise<string> {
    const stalled = new AbortController();
    const response = await this.get(url, AbortSignal.any([signal, stalled.signal]));
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const hash = createHash("sha256");
    let bytes = 0;
    const giveUp = (): void => {
      stalled.abort(new Error(`${url} sent nothing for ${stallMilliseconds / 1000} seconds`));
    };
    let watchdog = setTimeout(giveUp, stallMilliseconds);
    const meter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        clearTimeout(watchdog);
        watchdog = setTimeout(giveUp, stallMilliseconds);
        hash.update(chunk);
        bytes += chunk.length;
        progress(Number.isNaN(length) ? undefined : bytes / length);
        done(bytes > releaseLimit ? new Error(`${url} is larger than ${releaseLimit} bytes`) : null, chunk);
      },
    });
    try {
      await pipeline(bodyOf(response), meter, createWriteStream(file));
    } finally {
      clearTimeout(watchdog);
    }
    return hash.digest("hex");
  }

  private async get(url: string, signal: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await this.fetch(url, { signal });
    } catch (error) {
      signal.throwIfAborted();
      // What went wrong is in the cause; the message of `fetch` is the same for everything.
      const cause = (error as { readonly cause?: unknown }).cause;
      throw new Error(`${url} cannot be reached: ${messageOf(cause ?? error)}`, { cause: error });
    }
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response;
  }
}

/** The checksum of the file called `name`: from lines of checksum and name, or a checksum alone. */
function publishedChecksum(text: string, name: string): string | undefined {
  for (const line of text.split("\n")) {
    const match = /^(?<checksum>[\da-f]{64})(?:\s+\*?(?:.*\/)?(?<name>\S+))?\s*$/iu.exec(line);
    if (match !== null && (match.groups?.name ?? name) === name) return match.groups?.checksum?.toLowerCase();
  }
  return undefined;
}

async function unpack(release: Release, file: string, folder: string): Promise<void> {
  if (release.program !== undefined) {
    await rename(file, join(folder, release.program));
    await chmod(join(folder, release.program), 0o755);
    return;
  }
  const programs = new Map(
    Object.entries(release.members ?? {}).map(([program, member]) => [member, program]),
  );
  const entries = extract();
  const reading = pipeline(createReadStream(file), createGunzip(), entries);
  // Its error also ends the loop below, which is where it is thrown.
  reading.catch(() => undefined);
  for await (const entry of entries) {
    const program = programs.get(entry.header.name.replace(/^\.\//u, ""));
    if (program === undefined || entry.header.type !== "file") entry.resume();
    else await pipeline(entry, createWriteStream(join(folder, program), { mode: 0o755 }));
  }
  await reading;
  await rm(file);
}

async function readText(response: Response, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(response) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw new Error(`${response.url} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function bodyOf(response: Response): Readable {
  return response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
}
