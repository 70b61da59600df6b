import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClientCommand } from "./client-command.ts";
import type { Person, Site } from "./site.ts";

/**
 * A program of the containers project, skopeo or buildah, that trusts the registry and is logged in.
 *
 * Nothing of `/etc/containers` counts, so that it does the same on every machine: the settings lie where they have a
 * person's.
 */
export async function containersCommand(
  program: "skopeo" | "buildah",
  { folder, host, caFile }: Site,
  { name, password }: Person,
): Promise<ClientCommand> {
  const home = join(folder, `${program}-of-${name}`);
  const settings = join(home, ".config", "containers");
  const certificates = join(settings, "certs.d", host);
  await mkdir(certificates, { recursive: true });
  await copyFile(caFile, join(certificates, "ca.crt"));
  await writeFile(
    join(settings, "policy.json"),
    JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }),
  );
  const registries = join(settings, "registries.conf");
  await writeFile(registries, "");
  const storage = join(settings, "storage.conf");
  const value = JSON.stringify;
  await writeFile(
    storage,
    `[storage]
driver = "vfs"
graphroot = ${value(join(home, "storage"))}
runroot = ${value(join(home, "run", "storage"))}
`,
  );
  const command = await ClientCommand.create(program, home, {
    CONTAINERS_REGISTRIES_CONF: registries,
    CONTAINERS_STORAGE_CONF: storage,
    REGISTRY_AUTH_FILE: join(home, "auth.json"),
    BUILDAH_ISOLATION: "chroot",
    // Takes root for a person like others, who keeps what it remembers at home and not in /var and /run.
    _CONTAINERS_ROOTLESS_UID: "1000",
  });
  await command.run(["login", "--username", name, "--password-stdin", host], password);
  return command;
}
