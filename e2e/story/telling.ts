import { cannotRunCluster } from "../cluster/can-run.ts";
import { down } from "../cluster/cluster.ts";
import { silentProgress } from "../terminal/progress.ts";
import { setStage, type Stage } from "./stage.ts";
import { epilogue, interlude, story } from "./story.ts";

const cannot = await cannotRunCluster();
if (cannot !== undefined) process.stderr.write(`The story is skipped. ${cannot}\n`);

/** Tells the whole story on a cluster of its own that is called `name`, made for it and removed after it. */
export function describeStory(name: string): void {
  (cannot === undefined ? describe : describe.skip)(`the story of a connected registry, on ${name}`, () => {
    const stop = new AbortController();
    let stage: Stage;
    let unfinished: string | undefined;

    beforeAll(async () => {
      await down(name, stop.signal);
      stage = await setStage(name, silentProgress, stop.signal);
    });

    afterAll(async () => {
      stop.abort();
      await down(name, new AbortController().signal);
    });

    // Each chapter stands on the one before: after a failure the rest would only fail of the same.
    test.each([...story, interlude, epilogue])("$title", async (chapter) => {
      if (unfinished !== undefined)
        throw new Error(`not played, since an earlier chapter failed: ${unfinished}`);
      unfinished = chapter.title;
      await expect(chapter.run(stage.world, () => undefined)).resolves.toBeUndefined();
      unfinished = undefined;
    });
  });
}
