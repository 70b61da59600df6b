import { ManualClock } from "../../common/testing/manual-clock.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { openContent } from "../sync/testing/content-parent.ts";
import { upPage } from "./pages.ts";

test("all that waits is listed in its order, page by page, with why it does not get there", async () => {
  const clock = new ManualClock();
  const content = await openContent(clock, { goesUp: () => true });
  const here = content.open(repository("apps/hello"));
  const config = item("{}");
  const one = image(config, []);
  await here.push(config.descriptor, streamOf(config));
  await here.putManifest(one.bytes, one.descriptor.mediaType, { tags: ["v1", "v2", "v3"].map(tag) });
  await content.outbox.setAside((await content.outbox.next(0))!, "The parent does not allow this.");
  await content.outbox.failed((await content.outbox.next(0))!, 2, "The parent answers 503.");
  const page = upPage(content.outbox);
  expect(page.read(new URLSearchParams({ n: "2" }))).toMatchObject({
    count: 3,
    next: "/status/up?n=2&offset=2",
    items: [
      {
        ...{ repository: "apps/hello", reference: "v1", action: "put", digest: one.descriptor.digest },
        queuedTime: clock.now().toISO(),
        refusal: "The parent does not allow this.",
      },
      { reference: "v2", failures: 2, error: "The parent answers 503." },
    ],
  });
  expect(page.read(new URLSearchParams({ offset: "2" }))).toMatchObject({ items: [{ reference: "v3" }] });
  await content.close();
});
