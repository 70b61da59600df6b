import type { ContentOptions, RegistryContent } from "../content.ts";
import { describeDryRun } from "./testing/conformance/dry-run.ts";
import { describeGarbage } from "./testing/conformance/garbage.ts";
import { describeImageParts } from "./testing/conformance/image-parts.ts";
import { describeRetention } from "./testing/conformance/retention.ts";
import { CollectedStore } from "./testing/conformance/store.ts";
import { describeUnreadable } from "./testing/conformance/unreadable.ts";
import { describeUntagged } from "./testing/conformance/untagged.ts";

/** What collecting promises of every implementation of the content store. */
export function describeCollection(
  name: string,
  open: (options: ContentOptions) => Promise<RegistryContent>,
): void {
  // eslint-disable-next-line jest/valid-title -- a string, as its type says
  describe(name, () => {
    const store = new CollectedStore(open);
    beforeEach(() => store.open());
    afterEach(() => store.close());
    describeGarbage(store);
    describeUntagged(store);
    describeImageParts(store);
    describeRetention(store);
    describeDryRun(store);
    describeUnreadable(store);
  });
}
