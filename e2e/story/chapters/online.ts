import { systemClock } from "../../../common/clock.ts";
import { eventually } from "../../harness/eventually.ts";
import { edgeOf } from "../edge.ts";
import { check, names, type Chapter, type World } from "../world.ts";
import { atParent } from "./publish.ts";

/** The sample policy polls every 5 s; the rest is for the transfer and for looking. */
const pollMs = 5000;
const transferMs = 3000;

/** The link returns, and with it what was pushed to the parent. */
export const online: Chapter = {
  title: "The link returns: a new tag at the parent appears at the edge within one poll interval",
  async run(world, say) {
    await world.link.restore();
    say("waiting for connection state Online");
    await untilOnline(world);
    const { later } = world.images;
    say(`headquarters pushes ${later.repository}:${later.tag}`);
    await world.headquarters.push(later.layout, atParent(world, `${later.repository}:${later.tag}`));
    const pushed = systemClock.now();
    const edge = await edgeOf(world);
    const seen = await eventually(`${later.repository}:${later.tag} at the edge`, pollMs + transferMs, () =>
      edge.crane.digest(`${edge.address}/${later.repository}:${later.tag}`),
    );
    check(seen === later.digest, `digest ${later.digest}`, seen);
    say(`there after ${systemClock.now().diff(pushed).as("seconds").toFixed(1)} s`);
    await untilOnline(world);
  },
};

async function untilOnline({ kubectl }: World): Promise<void> {
  await kubectl.until(
    "connectedregistry",
    names.registry,
    names.namespace,
    "Online",
    30_000,
    ({ status }) => {
      return status?.connectionState === "Online";
    },
  );
}
