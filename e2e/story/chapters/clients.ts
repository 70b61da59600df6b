import { CommandError } from "../../harness/command.ts";
import { dockerConfig } from "../../harness/crane.ts";
import { edgeOf, get } from "../edge.ts";
import { check, type Chapter } from "../world.ts";

/** A wrong password gets 401, the token's Secret works in any client, and nobody pushes to a ReadOnly registry. */
export const clients: Chapter = {
  title: "Wrong passwords and pushes are refused, the token's Secret works in any client",
  async run(world, say) {
    const edge = await edgeOf(world);
    const { repository, tag } = world.images.later;
    const reference = `${edge.address}/${repository}:${tag}`;
    say("a wrong password");
    const refused = await get(edge, `/v2/${repository}/manifests/${tag}`, "wrong");
    check(refused.status === 401 && refused.body.includes("UNAUTHORIZED"), "401 UNAUTHORIZED", refused);
    const stranger = await world.craneAtEdge(dockerConfig(edge.address, edge.username, "wrong"), edge.caPem);
    const failure = await failureOf(stranger.run(["manifest", reference]));
    check(failure.includes("401") || failure.includes("UNAUTHORIZED"), "crane refused with 401", failure);
    say("the token's Secret in crane");
    const catalog = await edge.crane.run(["catalog", edge.address]);
    check(catalog.includes(repository), `${repository} in the catalog`, catalog);
    say("a push");
    const push = await failureOf(edge.crane.run(["copy", reference, `${edge.address}/${repository}:mine`]));
    check(
      push.includes("DENIED") && push.includes("This operation is not allowed on this registry."),
      "403 DENIED with a sentence",
      push,
    );
  },
};

async function failureOf(command: Promise<string>): Promise<string> {
  try {
    return `it succeeded: ${await command}`;
  } catch (error) {
    if (typeof error === "object" && error !== null && "stderr" in error)
      return (error as CommandError).stderr;
    throw error;
  }
}
