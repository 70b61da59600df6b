import { load } from "js-yaml";
import { parseClientToken, parseSettings } from "../../common/contract/config.ts";
import { documentFaults } from "../configuration/document-faults.ts";
import { exampleDocument, settingsJsonSchema, settingsReference } from "./settings.ts";

test("the document that the reference shows is right", async () => {
  const { clientTokens, ...settings } = load(exampleDocument) as {
    readonly clientTokens: readonly unknown[];
  };
  expect(() => [parseSettings(settings), ...clientTokens.map(parseClientToken)]).not.toThrow();
  expect(await documentFaults({ clientTokens, ...settings })).toEqual([]);
});

test("every setting has a meaning, or parts that have", () => {
  const meaningless = settingsReference()
    .split("\n")
    .filter((line) => /^\| `.*\|\s+\|$/.test(line));
  expect(meaningless).toEqual([]);
});

test("the schema for editors demands no more than the reader does", () => {
  const { required } = JSON.parse(settingsJsonSchema()) as { readonly required: readonly string[] };
  expect(required).toEqual(["version", "name"]);
});
