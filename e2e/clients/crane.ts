import { join } from "node:path";
import { ClientCommand } from "./client-command.ts";
import type { Person, Site } from "./site.ts";

/** `crane`, trusting the registry and not logged in. */
export function craneOfNobody({ folder, caFile }: Site): Promise<ClientCommand> {
  return ClientCommand.create("crane", join(folder, "crane-of-nobody"), { SSL_CERT_FILE: caFile });
}

/** `crane`, trusting the registry and logged in. */
export async function craneOf({ folder, host, caFile }: Site, person: Person): Promise<ClientCommand> {
  const home = join(folder, `crane-of-${person.name}`);
  const command = await ClientCommand.create("crane", home, { SSL_CERT_FILE: caFile });
  const login = ["auth", "login", host, "--username", person.name, "--password-stdin"];
  await command.run(login, person.password);
  return command;
}
