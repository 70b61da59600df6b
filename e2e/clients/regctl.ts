import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClientCommand } from "./client-command.ts";
import type { Person, Site } from "./site.ts";

/** `regctl`, trusting the registry and logged in. */
export async function regctlOf({ folder, host, caFile }: Site, person: Person): Promise<ClientCommand> {
  const command = await ClientCommand.create("regctl", join(folder, `regctl-of-${person.name}`));
  const ca = await readFile(caFile, "utf8");
  await command.run(["registry", "set", host, "--cacert", ca, "--skip-check"]);
  await command.run(["registry", "login", host, "--user", person.name, "--pass-stdin"], person.password);
  return command;
}
