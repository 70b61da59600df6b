import { isApplied, stamped } from "./applied.ts";
import { parseQuantity } from "../../common/quantity.ts";

const object = (spec: object) => ({ apiVersion: "v1", kind: "Thing", metadata: { name: "a" }, spec });

describe("isApplied", () => {
  it.each([
    { live: { a: 1, b: 2 }, desired: { a: 1 }, applied: true, because: "the API server fills in defaults" },
    { live: { a: 2 }, desired: { a: 1 }, applied: false, because: "somebody changed it" },
    { live: {}, desired: { a: 1 }, applied: false, because: "somebody removed it" },
    {
      live: { list: [{ a: 1, b: 2 }] },
      desired: { list: [{ a: 1 }] },
      applied: true,
      because: "items get defaults too",
    },
    { live: { list: [1, 2] }, desired: { list: [1] }, applied: false, because: "somebody added an item" },
    {
      live: { memory: "1Gi" },
      desired: { memory: "1024Mi" },
      applied: true,
      because: "it is the same quantity",
    },
    { live: { memory: "1G" }, desired: { memory: "1Gi" }, applied: false, because: "it is less" },
    { live: {}, desired: { empty: {} }, applied: true, because: "the API server drops what is empty" },
    {
      live: {},
      desired: { list: [], text: "", number: 0, flag: false, none: null },
      applied: true,
      because: "it drops all that says nothing",
    },
    { live: { flag: true }, desired: { flag: false }, applied: false, because: "no is not the default" },
    { live: {}, desired: { a: undefined }, applied: true, because: "an undefined field is none" },
  ])("is $applied when $because", ({ live, desired, applied }) => {
    expect(isApplied(live, desired)).toBe(applied);
  });

  it("is false when a field is to be removed, which the live object cannot tell", () => {
    const live = stamped(object({ a: 1, b: 2 }));
    expect(isApplied(live, stamped(object({ a: 1, b: 2 })))).toBe(true);
    expect(isApplied(live, stamped(object({ a: 1 })))).toBe(false);
  });

  it("does not depend on the order of fields", () => {
    expect(stamped(object({ a: 1, b: 2 }))).toEqual(stamped(object({ b: 2, a: 1 })));
  });
});

test.each([
  ["500Gi", 500 * 2 ** 30],
  ["1.5k", 1500],
  ["50m", 0.05],
  ["2e3", 2000],
  ["1E", 1e18],
  ["7", 7],
  ["x", undefined],
  ["", undefined],
  ["1GiB", undefined],
])("parseQuantity reads %j as %j", (text, number) => {
  expect(parseQuantity(text)).toBe(number);
});
