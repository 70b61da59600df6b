import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../../common/errors.ts";
import { allDropped, allKept, Disk, type DiskState, type Fate } from "./disk.ts";
import { judge } from "./judge.ts";
import { knowledgeFrom } from "./knowledge.ts";
import { readMarks, type Script } from "./script.ts";
import type { TracedEvent } from "./system-calls.ts";

/** A moment at which the power may fail, and what then is on the disk. */
export interface Outage {
  /** How many events came before, by which it is found again. */
  readonly moment: number;
  /** `dropped`, `kept`, or the seed of what happens to each part. */
  readonly fate: "dropped" | "kept" | number;
}

export interface Damage extends Outage {
  readonly message: string;
}

/** The store of a traced process, which can lose its power at any moment. */
export class Recording {
  private readonly events: readonly TracedEvent[];
  private readonly script: Script;

  /** @param events as a process left them that ran `script` on a store in the directory `data` of the traced root */
  constructor(events: readonly TracedEvent[], script: Script) {
    this.script = script;
    // A sync has done something when it ends; whatever else a call does may be there as soon as it began.
    const moment = (event: TracedEvent): number => (event.kind === "sync" ? event.ended : event.began);
    this.events = [...events].sort((a, b) => moment(a) - moment(b));
  }

  /** The same, on a machine that only pretends to make durable what `isLost` says. */
  without(isLost: (path: string) => boolean): Recording {
    return new Recording(
      this.events.filter((event) => event.kind !== "sync" || !isLost(event.path)),
      this.script,
    );
  }

  /** Every moment at which something new may be on the disk, or be acknowledged. */
  outages(seeds: readonly number[]): readonly Outage[] {
    return this.events.flatMap((event, i): readonly Outage[] => {
      const moment = i + 1;
      if (event.kind === "mark" && event.text.includes('"begin"')) return [];
      // What was dropped changes only by what is synced, or by what somebody was told.
      if (event.kind === "sync" || event.kind === "mark") return [{ moment, fate: "dropped" }];
      return [
        { moment, fate: "kept" },
        ...seeds.map((seed): Outage => ({ moment, fate: seed * 1_000_003 + moment })),
      ];
    });
  }

  /**
   * Lets the power fail at each of `outages`, and opens what then is on the disk below `folder`.
   *
   * @param most damages after which it looks no further
   */
  async damages(outages: readonly Outage[], folder: string, most = Infinity): Promise<readonly Damage[]> {
    const damages: Damage[] = [];
    const disk = new Disk();
    const wanted = Map.groupBy(outages, ({ moment }) => moment);
    let told = "";
    for (const [i, event] of this.events.entries()) {
      if (event.kind === "mark") told += event.text;
      else disk.apply(event, event.began, event.ended);
      for (const outage of wanted.get(i + 1) ?? []) {
        const path = join(folder, `${outage.moment}-${outage.fate}`);
        await restore(disk.state(fateOf(outage.fate)), path);
        try {
          await judge(join(path, "data"), knowledgeFrom(readMarks(told), this.script), "power loss");
        } catch (error) {
          damages.push({ ...outage, message: messageOf(error) });
          if (damages.length >= most) return damages;
        } finally {
          await rm(path, { recursive: true });
        }
      }
    }
    return damages;
  }
}

/** About `count` of `outages`, evenly. */
export function sampled(outages: readonly Outage[], count: number): readonly Outage[] {
  const step = Math.max(1, Math.floor(outages.length / count));
  return outages.filter((_, i) => i % step === step - 1);
}

async function restore(state: DiskState, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const path of state.directories) await mkdir(join(folder, path), { recursive: true });
  for (const [path, bytes] of state.files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

function fateOf(fate: Outage["fate"]): Fate {
  if (fate === "kept") return allKept;
  if (fate === "dropped") return allDropped;
  const random = randomNumbers(fate);
  const chance = [0.1, 0.5, 0.9][Math.floor(random() * 3)] ?? 0.5;
  return { keep: () => random() < chance, sector: random() < 0.5 ? 512 : 4096 };
}

/** Numbers from 0 to 1, always the same for one seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
