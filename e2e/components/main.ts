import { parseArgs } from "node:util";
import { messageOf } from "../../common/errors.ts";
import { terminalProgress } from "../terminal/terminal.ts";
import { componentsVariable } from "./messages.ts";
import { cacheFolder, provide } from "./provide.ts";
import { systemPrograms } from "./system.ts";
import { bundles } from "./table.ts";

const help = `Obtains the real components that the quickstart and the tests run: Kubernetes, etcd, containerd and more.

Usage: npm run components [-- --list]

  --list   say which components there are, and obtain nothing
  --help   say this

A component is taken from a folder named in ${componentsVariable} (or KUBEBUILDER_ASSETS), from the cache
in ${cacheFolder(process.env)}, is built with Go, or downloaded with its checksum verified.
`;

async function main(): Promise<number> {
  let options;
  try {
    options = parseArgs({ options: { help: { type: "boolean" }, list: { type: "boolean" } } }).values;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${help}`);
    return 2;
  }
  if (options.help === true) process.stdout.write(help);
  else if (options.list === true) process.stdout.write(listing());
  else return obtainAll();
  return 0;
}

function listing(): string {
  const built = bundles.map(({ name, version, programs }) => `${name} ${version}: ${programs.join(", ")}`);
  const system = Object.entries(systemPrograms).map(
    ([program, entry]) => `${program}: package ${entry.package}`,
  );
  return `${[...built, ...system].join("\n")}\n`;
}

async function obtainAll(): Promise<number> {
  const stop = new AbortController();
  process.once("SIGINT", () => {
    stop.abort(new Error("interrupted"));
  });
  const names = [
    ...bundles.flatMap(({ programs }) => [...programs]),
    ...(Object.keys(systemPrograms) as (keyof typeof systemPrograms)[]),
  ];
  const paths = provide(names, terminalProgress(), stop.signal);
  const results = await Promise.allSettled(Object.values(paths));
  // Programs that come together fail together, with the same message.
  const failures = new Set(
    results.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : [])),
  );
  for (const failure of failures) process.stderr.write(`${failure}\n`);
  if (failures.size === 0) process.stdout.write(`All ${names.length} programs are there.\n`);
  return failures.size === 0 ? 0 : 1;
}

process.exitCode = await main();
