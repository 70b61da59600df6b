import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import type { KubeObject } from "../../operator/runtime/kube.ts";

const folder = join(import.meta.dirname, "../../manifests/samples");

/** The documents of manifests/samples, in the order in which kubectl applies them. */
export const samples: readonly KubeObject[] = readdirSync(folder)
  .sort()
  .flatMap((name) => loadAll(readFileSync(join(folder, name), "utf8")) as KubeObject[]);
