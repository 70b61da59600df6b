#!/usr/bin/env node
import { Command } from "commander";
import { hasCode } from "../common/errors.ts";
import { version } from "../common/version.ts";

/** The programs in this one command. Only the one that is asked for is loaded: the others would cost memory. */
const programs = {
  serve: {
    text: "Serve container images: a complete registry.",
    load: () => import("../registry/main.ts"),
  },
  plan: {
    text: "Show what a sync would bring from the parent, and what it leaves out and why.",
    load: () => import("../registry/plan/main.ts"),
  },
  "garbage-collect": {
    text: "Remove what nothing refers to from the data of a registry that is stopped.",
    load: () => import("../registry/maintenance/garbage-collect.ts"),
  },
  "restore-pruned": {
    text: "Bring back tags that were pruned, to the data of a registry that is stopped.",
    load: () => import("../registry/maintenance/restore-pruned.ts"),
  },
  "hash-password": {
    text: "Read or make a password and print what the settings hold of it.",
    load: () => import("../registry/auth/hash-password.ts"),
  },
  operator: {
    text: "Run the operator of a cluster.",
    load: () => import("../operator/main.ts"),
  },
  agent: {
    text: "Make the containerd of its node trust the registries of the cluster.",
    load: () => import("../agent/main.ts"),
  },
} satisfies Record<string, { text: string; load: () => Promise<{ command(): Command }> }>;

const cli = new Command("connected-registry")
  .description("Container images next to your workloads, kept in step with a parent registry.")
  .version(version)
  // Wrong usage is 2 for every program: commander says 1.
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const asked = process.argv.slice(2).find((argument) => !argument.startsWith("-") && argument !== "help");
for (const [name, { text, load }] of Object.entries(programs)) {
  if (name === asked) cli.addCommand((await load().catch(explain)).command().copyInheritedSettings(cli));
  else cli.command(name).description(text);
}
try {
  await cli.parseAsync();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}

function explain(error: unknown): never {
  if (!hasCode(error, "ERR_UNKNOWN_BUILTIN_MODULE")) throw error;
  console.error(`this needs Node 24 or newer and runs on ${process.version}; npx brings the right one`);
  process.exit(1);
}
