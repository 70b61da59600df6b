import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Command, Option } from "commander";
import { messageOf } from "../../common/errors.ts";
import { cacheFolder, provide } from "../../e2e/components/provide.ts";
import { terminalProgress } from "../../e2e/terminal/terminal.ts";
import { writeArchive } from "./archive.ts";
import { buildImage, type BuiltImage } from "./build.ts";
import { allPlatforms, type Platform } from "./platforms.ts";
import { defaultImage } from "./version.ts";

interface Options {
  readonly platform: readonly Platform[];
  readonly name: string;
  readonly output?: string;
  readonly push?: string;
  readonly refresh: boolean;
}

const root = resolve(import.meta.dirname, "../..");
const progress = terminalProgress();

async function main(): Promise<void> {
  const command = new Command("npm run image --")
    .description("Builds the image of Connected Registry, an OCI image layout, without a container engine.")
    .addOption(
      new Option("--platform <platform...>", "for which machines")
        .choices(allPlatforms)
        .default(allPlatforms),
    )
    .option("--name <repository:tag>", "the name that importers give it", await defaultImage(root))
    .option("--output <path>", "copy the layout to this folder, or to this .tar archive")
    .option("--push <reference>", "push it to a registry, with the credentials of `docker login`")
    .option("--refresh", "look for newer Debian packages than those of the last build", false);
  const options = command.parse().opts<Options>();
  const image = await progress.step("Build the image", (report) =>
    buildImage(
      { root, cacheFolder: join(cacheFolder(process.env), "image"), platforms: options.platform, ...options },
      (step) => {
        report(undefined, step);
      },
    ),
  );
  if (options.output !== undefined) await writeOutput(image, resolve(options.output));
  if (options.push !== undefined) await push(image, options.push);
  for (const { platform, digest, compressedBytes } of image.platforms) {
    console.log(`${platform}  ${digest}  ${(compressedBytes / 1e6).toFixed(1)} MB compressed`);
  }
  console.log(`${image.name}  ${image.digest}\n${options.output ?? image.layoutPath}`);
}

async function writeOutput(image: BuiltImage, output: string): Promise<void> {
  await mkdir(dirname(output), { recursive: true });
  if (output.endsWith(".tar")) {
    await writeArchive(image.layoutPath, output);
    return;
  }
  const present = await readdir(output).catch((): string[] => []);
  if (present.length > 0 && !present.includes("oci-layout")) {
    throw new Error(`${output} holds something else than an image layout: name another folder`);
  }
  await rm(output, { recursive: true, force: true });
  await cp(image.layoutPath, output, { recursive: true });
}

async function push(image: BuiltImage, reference: string): Promise<void> {
  const crane = await provide(["crane"], progress, new AbortController().signal).crane;
  await progress.step(`Push ${reference}`, () =>
    promisify(execFile)(crane, ["push", image.layoutPath, reference]),
  );
}

try {
  await main();
} catch (error) {
  console.error(`npm run image: ${messageOf(error)}`);
  process.exitCode = 1;
}
