import { Command } from "commander";
import { InvalidConfigError } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import { parseRepository, parseTag, type RepositoryName, type Tag } from "../../common/oci/reference.ts";
import { tellFailure } from "../configuration/tell-failure.ts";
import { isInUse } from "../content/lock.ts";
import type { PrunedTag } from "../content/prune/pruning.ts";
import { openStopped } from "./stopped-data.ts";

interface Options {
  readonly data: string;
}

interface Reference {
  readonly repository: RepositoryName;
  readonly tag?: Tag;
}

const help = `
Without a reference it lists what can come back. What is brought back is not pruned again, and no other tag of that
name is overwritten.
Of a registry that runs, push the image by its digest under its tag instead (crane tag, oras tag): it is still there.

Exit code: 0 done, 1 there is nothing to bring back, or it failed, 2 wrong usage.`;
const maxListed = 10_000;

/** `connected-registry restore-pruned` */
export function command(): Command {
  return new Command("restore-pruned")
    .description("Bring back tags that were pruned, to the data of a registry that is stopped.")
    .argument(
      "[REFERENCE...]",
      "a repository, with all its pruned tags, or one of them, such as apps/hello:1.0",
    )
    .requiredOption("--data <DIR>", "where the registry keeps its content")
    .addHelpText("after", help)
    .action(async (references: readonly string[], options: Options) => {
      process.exitCode = await main(references, options, process.stdout, process.stderr);
    });
}

/** @returns the exit code */
async function main(
  texts: readonly string[],
  { data }: Options,
  output: NodeJS.WritableStream,
  errors: NodeJS.WritableStream,
): Promise<number> {
  try {
    const references = texts.map(referenceOf);
    const { pruning, close } = await openStopped(data);
    try {
      const found: PrunedTag[] = references.length === 0 ? [...pruning.pruned(maxListed)] : [];
      for (const { repository, tag } of references) found.push(...(await pruning.restore(repository, tag)));
      for (const { repository, tag, digest, reason } of found) {
        output.write(`${repository}:${tag} ${digest}: ${reason}\n`);
      }
      if (found.length === 0) errors.write("There is nothing to bring back.\n");
      return found.length === 0 && references.length > 0 ? 1 : 0;
    } finally {
      await close();
    }
  } catch (error) {
    const remedy = "Stop the registry, or push the image by its digest under its tag.";
    return tellFailure(error, errors, (cause) => (isInUse(cause) ? remedy : undefined));
  }
}

/** @throws {InvalidConfigError} */
function referenceOf(text: string): Reference {
  const colon = text.indexOf(":");
  try {
    if (colon < 0) return { repository: parseRepository(text) };
    return { repository: parseRepository(text.slice(0, colon)), tag: parseTag(text.slice(colon + 1)) };
  } catch (error) {
    throw new InvalidConfigError(`${text}: ${messageOf(error)}`);
  }
}
