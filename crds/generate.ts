import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { hasCode } from "../common/errors.ts";
import { settleFiles } from "../common/generated-files.ts";
import type { CustomResourceDefinition } from "./schema.ts";
import { typescriptOf } from "./typescript.ts";

/**
 * `node crds/generate.ts` writes what follows from `crds/*.yaml`: the TypeScript types of the operator, and the copies
 * that the Helm chart installs. With `--verify` it writes nothing, names what is stale, and exits with 1.
 */
const root = join(import.meta.dirname, "..");
const types = "operator/api";
const copies = "helm/connected-registry/crds";

/** The generated files: path below the root → content. */
async function generated(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const sources = (await readdir(import.meta.dirname)).filter((name) => name.endsWith(".yaml")).sort();
  for (const source of sources) {
    const text = await readFile(join(import.meta.dirname, source), "utf8");
    const crd = load(text) as CustomResourceDefinition;
    files.set(`${types}/${crd.spec.names.kind.toLowerCase()}.gen.ts`, typescriptOf(crd));
    files.set(`${copies}/${source}`, `# A copy of crds/${source}, made by "npm run generate".\n${text}`);
  }
  return files;
}

/** What lies where we generate to, and might be left over from a resource that is no more. */
async function present(): Promise<readonly string[]> {
  const inTypes = (await readdir(join(root, types))).filter((name) => name.endsWith(".gen.ts"));
  const inCopies = await readdir(join(root, copies)).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
  return [...inTypes.map((name) => `${types}/${name}`), ...inCopies.map((name) => `${copies}/${name}`)];
}

process.exitCode = await settleFiles(
  { root, wanted: await generated(), present: await present() },
  process.argv,
  console.error,
);
