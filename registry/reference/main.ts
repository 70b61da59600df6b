import { join } from "node:path";
import { settleFiles } from "../../common/generated-files.ts";
import { metricsReference } from "./metrics.ts";
import { settingsJsonSchema, settingsReference } from "./settings.ts";

/**
 * `node registry/reference/main.ts` writes the reference of settings and metrics from the tables and schemas that the
 * registry itself works by. With `--verify` it writes nothing, names what is stale, and exits with 1.
 */
process.exitCode = await settleFiles(
  {
    root: join(import.meta.dirname, "..", ".."),
    wanted: new Map([
      ["docs/reference/settings.md", settingsReference()],
      ["docs/reference/settings.schema.json", settingsJsonSchema()],
      ["docs/reference/metrics.md", await metricsReference()],
    ]),
    present: [],
  },
  process.argv,
  console.error,
);
