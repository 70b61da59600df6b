import { down } from "../cluster/cluster.ts";
import { cannotRunCluster } from "../cluster/can-run.ts";
import { silentProgress } from "../terminal/progress.ts";
import { setStage, type Stage } from "./stage.ts";
import { epilogue, story } from "./story.ts";

const cannot = await cannotRunCluster();
if (cannot !== undefined) process.stderr.write(`The story is skipped. ${cannot}\n`);

const name = "e2e";

(cannot === undefined ? describe : describe.skip)("the story of a connected registry", () => {
  const stop = new AbortController();
  let stage: Stage;
  let ended: string | undefined;

  beforeAll(async () => {
    await down(name, stop.signal);
    stage = await setStage(name, silentProgress, stop.signal);
  });

  afterAll(async () => {
    stop.abort();
    await down(name, new AbortController().signal);
  });

  // Each chapter stands on the one before: after a failure the rest would only fail of the same.
  test.each([...story, epilogue])("$title", async (chapter) => {
    if (ended !== undefined) throw new Error(`not played, since an earlier chapter failed: ${ended}`);
    ended = chapter.title;
    await expect(chapter.run(stage.world, () => undefined)).resolves.toBeUndefined();
    ended = undefined;
  });
});
