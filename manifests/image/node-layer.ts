import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import type { LayerEntry } from "./layer.ts";
import { nodeVersion, platforms, type Platform } from "./platforms.ts";
import type { ResultCache } from "./result-cache.ts";

const command = promisify(execFile);

/**
 * The Node binary of `platform` and its licence, from the npm package that holds them.
 *
 * @throws if what npm answers is not byte for byte what `platforms` pins
 */
export async function nodeEntries(platform: Platform, cache: ResultCache): Promise<readonly LayerEntry[]> {
  const { nodePackage, nodeIntegrity } = platforms[platform];
  const folder = await cache.get(`${nodePackage}-${nodeVersion}`, async (target) => {
    // `npm ci` has put the package of this machine's platform into npm's own cache already.
    await command(
      "npm",
      ["pack", `${nodePackage}@${nodeVersion}`, "--prefer-offline", "--ignore-scripts", "--silent"],
      { cwd: target },
    );
    const archive = join(target, (await readdir(target))[0] ?? "");
    const integrity = await integrityOf(archive);
    if (integrity !== nodeIntegrity) {
      throw new Error(
        `${nodePackage}@${nodeVersion} has the checksum ${integrity}, expected ${nodeIntegrity}`,
      );
    }
    await rename(archive, join(target, "node.tgz"));
  });
  const found = await readArchive(join(folder, "node.tgz"), ["package/bin/node", "package/LICENSE"]);
  return [
    { kind: "file", path: "usr/bin/node", content: found("package/bin/node"), executable: true },
    { kind: "file", path: "usr/share/doc/node/copyright", content: found("package/LICENSE") },
  ];
}

async function integrityOf(file: string): Promise<string> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest("base64")}`;
}

async function readArchive(archive: string, names: readonly string[]): Promise<(name: string) => Buffer> {
  const found = new Map<string, Buffer>();
  const entries = extract();
  const unpacked = pipeline(createReadStream(archive), createGunzip(), entries);
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (names.includes(entry.header.name)) found.set(entry.header.name, Buffer.concat(chunks));
  }
  await unpacked;
  return (name) => {
    const content = found.get(name);
    if (content === undefined) throw new Error(`${archive} holds no ${name}`);
    return content;
  };
}
