import { execFile, spawn } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar-stream";
import { messageOf } from "../../common/errors.ts";

const command = promisify(execFile);

/**
 * Downloads the newest version of the packages `names` for `architecture` into `folder`, by the package sources and
 * keys of this machine: apt checks the signatures. apt keeps its state inside `folder` too, so that neither the
 * machine's list of packages nor its architectures change; root is not needed.
 *
 * @throws with a sentence that says what to do where there is no apt, or it has nothing for `architecture`
 */
export async function downloadPackages(
  names: readonly string[],
  architecture: string,
  folder: string,
): Promise<void> {
  const state = join(folder, "apt");
  await mkdir(join(state, "lists/partial"), { recursive: true });
  await mkdir(join(state, "cache/archives/partial"), { recursive: true });
  await writeFile(join(state, "status"), "");
  const settings = join(state, "apt.conf");
  await writeFile(settings, aptSettings(state, architecture));
  try {
    await command("apt-get", ["--config-file", settings, "--quiet", "--error-on=any", "update"]);
    await command("apt-get", ["--config-file", settings, "--quiet", "download", ...names], { cwd: folder });
  } catch (error) {
    throw new Error(
      `cannot get Debian packages for ${architecture}: build the image on a Debian-like machine, build it for another --platform, ` +
        `or use the Dockerfile (${messageOf(error).trim()})`,
      { cause: error },
    );
  }
  await rm(state, { recursive: true });
}

function aptSettings(state: string, architecture: string): string {
  return `
Dir::State "${state}";
Dir::State::status "${state}/status";
Dir::Cache "${state}/cache";
APT::Architecture "${architecture}";
#clear APT::Architectures;
APT::Architectures { "${architecture}"; };
Acquire::Languages "none";
// Downloading as _apt needs a folder that _apt can reach.
APT::Sandbox::User "root";
// Hooks of the machine are for the machine.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`;
}

/** A file or symbolic link of a package. */
interface PackagedFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
  readonly linkTarget?: string;
}

export interface DebianPackage {
  readonly name: string;
  /** The package's description in Debian's control format. */
  readonly control: string;
  readonly files: readonly PackagedFile[];
}

/** Name and version of each package in `folder`, sorted by name. */
export async function packageVersions(folder: string): Promise<readonly [name: string, version: string][]> {
  return (await archivesIn(folder)).map((file) => {
    const [name = "", version = ""] = file.split("_");
    return [name, decodeURIComponent(version)];
  });
}

/** Reads the packages in `folder`; of their files those whose path `wanted` accepts. Sorted by name. */
export async function readPackages(
  folder: string,
  wanted: (path: string) => boolean,
): Promise<readonly DebianPackage[]> {
  return Promise.all((await archivesIn(folder)).map((name) => readPackage(join(folder, name), wanted)));
}

async function archivesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".deb")).sort();
}

async function readPackage(archive: string, wanted: (path: string) => boolean): Promise<DebianPackage> {
  const { stdout: control } = await command("dpkg-deb", ["--field", archive]);
  const name = /^Package: (.+)$/m.exec(control)?.[1];
  if (name === undefined) throw new Error(`${archive} does not say which package it is`);
  return { name, control, files: await readFiles(archive, wanted) };
}

async function readFiles(
  archive: string,
  wanted: (path: string) => boolean,
): Promise<readonly PackagedFile[]> {
  const unpack = spawn("dpkg-deb", ["--fsys-tarfile", archive], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | null>((resolve, reject) => {
    unpack.once("error", reject).once("close", resolve);
  });
  const files: PackagedFile[] = [];
  for await (const entry of unpack.stdout.pipe(extract())) {
    const { name, type, mode, linkname } = entry.header;
    const content = await collect(entry);
    const path = merged(name);
    if (!wanted(path) || (type !== "file" && type !== "symlink")) continue;
    files.push({
      path,
      content,
      executable: (mode & 0o111) !== 0,
      ...(type === "symlink" ? { linkTarget: linkname } : {}),
    });
  }
  const code = await exited;
  if (code !== 0) throw new Error(`dpkg-deb cannot read ${archive}`);
  return files;
}

/** Older packages still ship /lib and /lib64, newer ones /usr/lib and /usr/lib64: here all is under /usr. */
function merged(path: string): string {
  return path.replace(/^\.?\//, "").replace(/^lib(64)?\//, "usr/lib$1/");
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
