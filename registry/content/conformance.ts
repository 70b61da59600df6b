import type { ContentOptions, RegistryContent } from "./content.ts";
import { describeBlobs } from "./testing/conformance/blobs.ts";
import { describeManifests } from "./testing/conformance/manifests.ts";
import { StoreUnderTest } from "./testing/conformance/store.ts";
import { describeNames } from "./testing/conformance/names.ts";
import { describeTransfers } from "./testing/conformance/transfers.ts";
import { describeUploads } from "./testing/conformance/uploads.ts";

/** What every implementation of the content store promises. */
export function describeContent(
  name: string,
  open: (options: ContentOptions) => Promise<RegistryContent>,
): void {
  // eslint-disable-next-line jest/valid-title -- a string, as its type says
  describe(name, () => {
    const store = new StoreUnderTest(open);
    beforeEach(() => store.open());
    afterEach(() => store.close());
    describeBlobs(store);
    describeManifests(store);
    describeNames(store);
    describeTransfers(store);
    describeUploads(store);
  });
}
