import { edgeOf, get } from "../edge.ts";
import { check, names, type Chapter } from "../world.ts";

/** The policy's images arrive, byte for byte, and the registry says so by itself. */
export const sync: Chapter = {
  title: "The registry syncs what the policy selects, and reports into its status",
  async run(world, say) {
    say("waiting for the first sync");
    await world.kubectl.until(
      "connectedregistry",
      names.registry,
      names.namespace,
      "Online",
      90_000,
      ({ status }) => {
        return status?.connectionState === "Online" && status.lastSyncTime !== undefined;
      },
    );
    const edge = await edgeOf(world);
    for (const { repository, tag, digest } of world.images.initial) {
      say(`checking every digest of ${repository}:${tag}`);
      const reference = `${edge.address}/${repository}:${tag}`;
      const seen = await edge.crane.digest(reference);
      check(seen === digest, `${repository}:${tag} with digest ${digest}`, seen);
      await edge.crane.run(["validate", "--remote", reference]);
    }
    say("the referrer came with its image");
    const { sbom } = world.images;
    const referrers = await get(edge, `/v2/${sbom.repository}/referrers/${sbom.subject}`);
    check(
      referrers.status === 200 && referrers.body.includes(sbom.digest),
      `referrer ${sbom.digest}`,
      referrers,
    );
    say("kubectl get connectedregistries");
    const table = await world.kubectl.run(["get", "connectedregistries", "-n", names.namespace]);
    checkTable(table, world.parent.host);
  },
};

/** `NAME MODE CONNECTION STATE PARENT LOGIN SERVER LAST SYNC`, with true values. */
function checkTable(table: string, parent: string): void {
  const [header = "", row = ""] = table.split("\n");
  const columns = header.trim().split(/ {2,}/);
  check(
    columns.join(",") === "NAME,MODE,CONNECTION STATE,PARENT,LOGIN SERVER,LAST SYNC",
    "ACR's columns",
    header,
  );
  const cells = row.trim().split(/ {2,}/);
  const [name, mode, state, from, loginServer, lastSync] = cells;
  check(
    name === names.registry &&
      mode === "ReadOnly" &&
      (state === "Online" || state === "Syncing") &&
      from === parent &&
      loginServer === names.loginServer &&
      /^\d+[smh]/.test(lastSync ?? ""),
    "true values in the columns",
    row,
  );
}
