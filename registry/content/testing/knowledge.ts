import { after, collected, emptyState, type State } from "./model.ts";
import type { Operation } from "./operations.ts";
import { operationsOf, type Mark, type Script } from "./script.ts";
import { names } from "./universe.ts";

/** What clients know of a store that was stopped. */
export interface Knowledge {
  /** What the store must show, but for `underWay`. */
  readonly state: State;
  /** What was begun and not acknowledged: each may have happened or not. */
  readonly underWay: readonly Operation[];
}

/**
 * What clients know from the marks of a process.
 *
 * @param before what the store had to show when the process began
 * @throws if an operation had another outcome than it should
 */
export function knowledgeFrom(marks: readonly Mark[], script: Script, before = emptyState): Knowledge {
  const operations = operationsOf(script);
  const underWay = new Map<number, Operation>();
  let state = before;
  for (const mark of marks) {
    const operation = operations[mark.operation];
    if (operation === undefined) throw new Error(`the script has no operation ${mark.operation}`);
    if (mark.mark === "begin") underWay.set(mark.operation, operation);
    else {
      const expected = after(state, operation);
      if (mark.outcome !== expected.outcome) {
        throw new Error(`${JSON.stringify(operation)} ended with ${mark.outcome}, not ${expected.outcome}`);
      }
      underWay.delete(mark.operation);
      state = expected.state;
    }
  }
  return { state, underWay: [...underWay.values()] };
}

/** Every state in which a store may be that was stopped while `underWay` was not yet answered. */
export function possible(state: State, underWay: readonly Operation[]): readonly State[] {
  return underWay.reduce<readonly State[]>(
    (states, operation) => states.flatMap((each) => [each, ...partly(each, operation)]),
    [state],
  );
}

/** What may be there of an operation that was begun: of most, all. */
function partly(state: State, operation: Operation): readonly State[] {
  if (operation.do !== "collect") return [after(state, operation).state];
  return names.reduce<readonly State[]>(
    (states, _, i) => states.flatMap((each) => [each, collected(each, i)]),
    [state],
  );
}
