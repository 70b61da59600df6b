import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import type { RegistryContent } from "../content/content.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { openContent } from "../sync/testing/content-parent.ts";
import { Witness } from "./witness.ts";

const config = item("{}");
const one = image(config, []);

describe("who remembers how far the outbox had come", () => {
  let content: RegistryContent;

  beforeEach(async () => {
    content = await openContent(new ManualClock(), { goesUp: () => true });
    await push("v1");
  });

  afterEach(() => content.close());

  async function push(text: string): Promise<void> {
    const here = content.open(repository("apps/hello"));
    await here.push(config.descriptor, streamOf(config));
    await here.putManifest(one.bytes, one.descriptor.mediaType, { tags: [tag(text)] });
  }
  const restored = (): readonly boolean[] => content.outbox.entries(10, 0).map((entry) => entry.restored);

  test.each([
    { count: undefined, marked: false, because: "nobody remembers anything" },
    { count: 1, marked: false, because: "it is as far as it was" },
    { count: 0, marked: false, because: "it was told before the last change" },
    { count: 2, marked: true, because: "it had come further" },
  ])("of $count: $marked, for $because", async ({ count, marked }) => {
    const witness = new Witness(content.outbox.course, true, silentLog);
    await push("v2-since-the-start");
    const [old, fresh] = content.outbox.entries(10, 0);
    expect([witness.doubts(old!), witness.doubts(fresh!)]).toEqual([true, false]);
    await witness.heard(count === undefined ? undefined : count + 1);
    expect(restored()).toEqual([marked, false]);
    expect(witness.doubts(old!)).toBe(false);
    expect(witness.count).toBeGreaterThanOrEqual((count ?? 0) + 1);
  });

  test("where nobody outside is awaited nothing is doubtful", () => {
    const witness = new Witness(content.outbox.course, false, silentLog);
    expect(witness.doubts(content.outbox.entries(1, 0)[0]!)).toBe(false);
  });
});
