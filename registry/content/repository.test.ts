import { randomUUID } from "node:crypto";
import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { openMemoryContent } from "./content.ts";
import { item, repository, streamOf } from "./testing/images.ts";

const layer = item("layer one");

test("T80 whoever asks for a blob is told that it is here, though the disk has no room to note it", async () => {
  const clock = new ManualClock();
  const content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
  const here = content.open(repository("team/a"));
  await here.push(layer.descriptor, streamOf(layer));
  await clock.advance(seconds(60));
  const { database } = content.scrubbed;
  database.statements.run(
    "CREATE TEMP TRIGGER full BEFORE UPDATE ON blob_links BEGIN INSERT INTO filler VALUES (zeroblob(1000000)); END",
  );
  database.statements.run("CREATE TABLE filler (bytes BLOB)");
  database.statements.rows("PRAGMA max_page_count = 1");
  await expect(
    database.change(() => database.statements.run("UPDATE blob_links SET linked_at = 0")),
  ).rejects.toThrow("full");
  await expect(here.relyOnBlob(layer.descriptor.digest)).resolves.toBeUndefined();
  await content.close();
});
