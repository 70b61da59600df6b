import { WidgetKind, type Widget } from "./conformance.ts";
import { itself, ofSpec } from "./reconciler.ts";

const key = { namespace: "edge", name: "a" };
const widget = (metadata: Partial<Widget["metadata"]> = {}, phase = "Fine"): Widget => ({
  apiVersion: WidgetKind.apiVersion,
  kind: "Widget",
  metadata: { ...key, uid: "1", generation: 1, resourceVersion: "1", ...metadata },
  status: { phase },
});

test.each([
  { what: "appeared", before: undefined, after: widget(), looks: true },
  { what: "is gone", before: widget(), after: undefined, looks: true },
  {
    what: "has another status",
    before: widget(),
    after: widget({ resourceVersion: "2" }, "Bad"),
    looks: false,
  },
  { what: "has another spec", before: widget(), after: widget({ generation: 2 }), looks: true },
  { what: "is being deleted", before: widget(), after: widget({ deletionTimestamp: "now" }), looks: true },
  { what: "was annotated", before: widget(), after: widget({ annotations: { a: "b" } }), looks: true },
  { what: "is another of its name", before: widget(), after: widget({ uid: "2" }), looks: true },
])("ofSpec looks at an object that $what: $looks", ({ before, after, looks }) => {
  expect(ofSpec(itself)(before, after)).toEqual(looks ? [key] : []);
});
