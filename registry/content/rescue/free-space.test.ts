import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { DiskPressureError, FreeSpace, reserveOf, type Volume } from "./free-space.ts";

const gibibyte = 1024 ** 3;

describe("the reserve of a volume", () => {
  test.each([
    { size: 100 * gibibyte, reserve: gibibyte, because: "1 % of a large one" },
    { size: 10 * gibibyte, reserve: gibibyte / 4, because: "at least 256 MiB" },
    { size: gibibyte, reserve: Math.floor(gibibyte / 10), because: "a small one must stay of use" },
  ])("of $size bytes: $because", ({ size, reserve }) => {
    expect(reserveOf(size)).toBe(reserve);
  });
});

describe("T80 free space", () => {
  const clock = new ManualClock();
  let volume: Volume | undefined;
  let said: boolean[];
  let space: FreeSpace;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    volume = { size: 10_000, free: 5_000 };
    said = [];
    const look = (): Promise<Volume> =>
      volume === undefined ? Promise.reject(new Error("no such device")) : Promise.resolve(volume);
    space = new FreeSpace(
      look,
      () => 1_000,
      (low) => said.push(low),
      clock,
      silentLog,
    );
    stop = new AbortController();
    running = space.run(stop.signal);
    await clock.advance(seconds(0));
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  const look = (free: number): Promise<void> => {
    volume = { size: 10_000, free };
    return clock.advance(seconds(5));
  };

  const write = (bytes: number) => (): void => {
    space.demand(bytes);
  };

  test("is counted down by what is written between two looks, before the volume itself says so", () => {
    expect(write(3_000)).not.toThrow();
    expect(write(1_000)).not.toThrow();
    expect(write(1)).toThrow(DiskPressureError);
    expect(said).toEqual([true]);
  });

  test("below the reserve every write is refused, and a little more is not enough to go on", async () => {
    await look(999);
    expect(write(0)).toThrow(expect.objectContaining({ code: "STORAGE_FULL", status: 507 }) as Error);
    expect(space.ready()).toBe(true);
    await look(1_200);
    expect(write(1)).toThrow("make room");
    await look(1_250);
    expect(write(1)).not.toThrow();
    expect(said).toEqual([true, false]);
  });

  test("what would not fit is refused before it begins, and nothing else for that", () => {
    const expecting = (): void => {
      space.expect(4_001);
    };
    expect(expecting).toThrow(DiskPressureError);
    expect(write(100)).not.toThrow();
    expect(said).toEqual([]);
  });

  test("that cannot be told is taken for what it was", async () => {
    volume = undefined;
    await clock.advance(seconds(5));
    expect(space.volume.free).toBe(5_000);
    expect(write(1)).not.toThrow();
  });
});
