import { describeStory } from "./telling.ts";

/** A flaky story is a bug: told ten times in a row, it comes true ten times. */
for (let telling = 1; telling <= 10; telling++) describeStory(`e2e-${telling}`);
