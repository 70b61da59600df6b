import { randomUUID } from "node:crypto";
import { seconds } from "../../common/clock.ts";
import { parseSettings } from "../../common/contract/config.ts";
import { createMetrics } from "../../common/metrics.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { openMemoryContent } from "../content/content.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { pruningOf } from "./pruning.ts";
import { StatusBoard } from "../sync/telling/board.ts";

test("/status counts what is missing, and names what can come back and until when; so do the metrics", async () => {
  const clock = new ManualClock("2026-01-01T00:00:00Z");
  const content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
  const registry = createMetrics();
  const { status } = pruningOf({
    content,
    settings: () =>
      parseSettings({
        version: 1,
        name: "edge",
        sync: { repositories: [], prune: { enabled: true, recoveryPeriodSeconds: 3600 } },
      }),
    board: new StatusBoard("0", clock, randomUUID),
    registry,
    clock,
    log: silentLog,
  });
  expect(status()).toEqual({ enabled: true, missing: 0, recoverable: { count: 0, newest: [] } });
  const hello = content.open(repository("apps/hello"));
  const config = item("{}", "application/vnd.oci.image.config.v1+json");
  for (const each of [config, image(config, [])]) await hello.push(each.descriptor, streamOf(each));
  for (const name of ["1", "2"]) await hello.tag(image(config, []).descriptor, tag(name));
  const [brought] = content.pruning.repositories();
  const [first, second] = content.pruning.tags(brought!.id, "");
  await content.pruning.mark(brought!.id, [first!]);
  await content.pruning.prune(brought!.id, [{ tag: second!, reason: "the parent has it no more" }]);
  await clock.advance(seconds(600));
  expect(status()).toEqual({
    enabled: true,
    missing: 1,
    recoverable: {
      count: 1,
      newest: [
        {
          repository: "apps/hello",
          tag: "2",
          digest: image(config, []).descriptor.digest,
          reason: "the parent has it no more",
          untilTime: "2026-01-01T01:00:00.000Z",
        },
      ],
    },
  });
  const metrics = await registry.metrics();
  expect(metrics).toContain("connected_registry_prune_marked_tags 1");
  expect(metrics).toContain("connected_registry_prune_recoverable_tags 1");
  expect(metrics).toContain("connected_registry_prune_tags_total 0");
  await content.close();
});
