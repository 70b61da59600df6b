import { randomUUID } from "node:crypto";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openMemoryContent } from "../content.ts";
import { image, item, repository, streamOf } from "../testing/images.ts";

const name = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");

test("manifests of many steps are listed in the order of their digests, and others go on meanwhile", async () => {
  const content = await openMemoryContent({
    clock: new ManualClock(),
    newId: randomUUID,
    quota: () => undefined,
  });
  const here = content.open(name);
  await here.push(config.descriptor, streamOf(config));
  const images = [...Array(1_100).keys()].map((n) => image(config, [], { annotations: { n: String(n) } }));
  await Promise.all(images.map((each) => here.push(each.descriptor, streamOf(each))));
  const digests = images.map(({ descriptor }) => descriptor.digest).sort();

  let others = 0;
  const count = (): void => {
    others += 1;
    turn = setImmediate(count);
  };
  let turn = setImmediate(count);
  const first = await content.locks.manifestPage(name, { limit: 3 });
  clearImmediate(turn);
  expect(first.map(({ digest }) => digest)).toEqual(digests.slice(0, 3));
  // Two between the steps, and one after each manifest.
  expect(others).toBeGreaterThanOrEqual(4);

  const after = digests[1_096];
  const last = await content.locks.manifestPage(name, { limit: 100, after });
  expect(last.map(({ digest }) => digest)).toEqual(digests.slice(1_097));
  await content.close();
});
