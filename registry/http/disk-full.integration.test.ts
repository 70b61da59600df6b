import { imagePush } from "../content/testing/arbitrary.ts";
import { FullDisk } from "./testing/full-disk.ts";

const isRoot = process.platform === "linux" && process.getuid?.() === 0;
if (!isRoot) process.stderr.write("Only root can mount the small disk that the test of a full one needs.\n");

(isRoot ? describe : describe.skip)("T80 a disk that is full", () => {
  const disk = new FullDisk();

  beforeAll(() => disk.make());

  afterAll(() => disk.clear());

  // Page by page, and all that clients do: the long suite.
  test("refuses what does not fit, reads on, takes no damage, and goes on when there is room", async () => {
    await expect(disk.sweep(imagePush(2, 3), 3)).resolves.toBeGreaterThan(3);
  });

  test("does so when something is deleted", async () => {
    const operations = [
      { do: "deleteManifest", in: 0, manifest: 0 },
      { do: "collect", in: 0 },
    ] as const;
    await expect(disk.sweep(operations, 3)).resolves.toBeGreaterThan(0);
  });
});
