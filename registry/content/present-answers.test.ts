import { PresentAnswers } from "./present-answers.ts";

test("an answer is asked for once, until something changes; that there is none is asked for each time", () => {
  let generation = 1;
  let asked = 0;
  const answers = new PresentAnswers<string>(
    () => generation,
    100,
    ({ length }) => length,
  );
  const ask = (name: string, answer?: string): string | undefined =>
    answers.get("app", name, () => {
      asked++;
      return answer;
    });
  expect([ask("v1", "one"), ask("v1", "two"), asked]).toEqual(["one", "one", 1]);
  generation++;
  expect([ask("v1", "two"), asked]).toEqual(["two", 2]);
  expect([ask("v2"), ask("v2"), ask("v2", "three"), asked]).toEqual([undefined, undefined, "three", 5]);
});

test("S20 an answer about one repository is none about another", () => {
  const answers = new PresentAnswers<string>(
    () => 1,
    100,
    ({ length }) => length,
  );
  answers.get("a", "v1", () => "one");
  expect(answers.get("b", "v1", () => undefined)).toBeUndefined();
});
