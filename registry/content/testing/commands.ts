import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { RegistryContent } from "../content.ts";
import { lane, type Lane } from "./arbitrary.ts";
import { after, emptyState, type State } from "./model.ts";
import { Performer } from "./operations.ts";
import { survey, surveyUploads, viewOf } from "./survey.ts";

/** A store that can be stopped without a warning, and is there again. */
export interface MortalStore {
  open(performer: Performer): Promise<RegistryContent>;
  /** What is there after the process died that has `content` now. */
  crash(content: RegistryContent, performer: Performer): Promise<RegistryContent>;
  end(content: RegistryContent): Promise<void>;
}

interface Model {
  state: State;
}

interface Real {
  readonly performer: Performer;
  readonly store: MortalStore;
  content: RegistryContent;
}

type Command = fc.AsyncCommand<Model, Real>;

class Work implements Command {
  private readonly lane: Lane;
  private readonly count: () => void;

  constructor(operations: Lane, count: () => void) {
    this.lane = operations;
    this.count = count;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    for (const operation of this.lane) {
      this.count();
      const expected = after(model.state, operation);
      const outcome = await real.performer.perform(real.content, operation);
      if (outcome !== expected.outcome) {
        throw new Error(`${JSON.stringify(operation)} ended with ${outcome}, not ${expected.outcome}`);
      }
      model.state = expected.state;
    }
  }

  toString(): string {
    return JSON.stringify(this.lane);
  }
}

class Look implements Command {
  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await compare(real.content, model.state);
  }

  toString(): string {
    return "look";
  }
}

class Crash implements Command {
  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    real.content = await real.store.crash(real.content, real.performer);
    await compare(real.content, model.state);
  }

  toString(): string {
    return "crash";
  }
}

async function compare(content: RegistryContent, state: State): Promise<void> {
  const [view, expected] = [await survey(content), viewOf(state)];
  if (!isDeepStrictEqual(view, expected)) {
    throw new Error(`the store shows ${JSON.stringify(view)}, not ${JSON.stringify(expected)}`);
  }
  const uploads = surveyUploads(content);
  if (!isDeepStrictEqual(uploads, state.uploads)) {
    const all = [uploads, state.uploads].map((each) => JSON.stringify([...each]));
    throw new Error(`it has the uploads ${all.join(", not ")}`);
  }
}

/**
 * Whatever clients do, a store does what the model does.
 *
 * @param newStore an empty one
 * @param count called for each operation
 */
export function likeTheModel(
  newStore: () => Promise<MortalStore>,
  count: () => void = () => undefined,
): fc.IAsyncProperty<[Iterable<Command>]> {
  const work = lane.map((operations) => new Work(operations, count));
  const commands = fc.commands<Model, Real, false>(
    // Most of what is done is work.
    [work, work, work, work, work, work, fc.constant(new Look()), fc.constant(new Crash())],
    { maxCommands: 80, size: "max" },
  );
  return fc.asyncProperty(commands, async (all) => {
    const [performer, store] = [new Performer(), await newStore()];
    const real: Real = { performer, store, content: await store.open(performer) };
    try {
      await fc.asyncModelRun(() => ({ model: { state: emptyState }, real }), [...all, new Look()]);
    } finally {
      await store.end(real.content);
    }
  });
}
