import { VerifiedTokens } from "./verified-tokens.ts";

const entry = (value: number): { value: number; from: number; until: number } => ({
  value,
  from: 0,
  until: 9,
});

test.each([
  { because: "thousands of the usual length are", length: 500, count: 4_000, kept: 4_000 },
  { because: "few are that are as long as a head can be", length: 16 * 1024, count: 4_000, kept: 128 },
])("what was checked is remembered in bounded memory: $because", ({ length, count, kept }) => {
  const tokens = new VerifiedTokens<number>();
  const token = (i: number): string => String(i).padStart(length, "x");
  for (let i = 0; i < count; i++) tokens.remember(token(i), entry(i));
  const found = Array.from({ length: count }, (_, i) => tokens.find(token(i), 1));
  expect(found.filter((value) => value !== undefined)).toHaveLength(kept);
  expect(found.at(-1)).toBe(count - 1);
});

test("what is remembered again, found or has expired counts once at most", () => {
  const tokens = new VerifiedTokens<number>();
  const long = (name: string): string => name.repeat(1024 ** 2 - 8);
  for (let i = 0; i < 5; i++) tokens.remember(long("a"), entry(i));
  for (let i = 0; i < 5; i++) expect(tokens.find(long("a"), 1)).toBe(4);
  tokens.remember(long("b"), entry(5));
  expect([tokens.find(long("a"), 1), tokens.find(long("b"), 1)]).toEqual([4, 5]);
  expect(tokens.find(long("a"), 9)).toBeUndefined();
  tokens.remember(long("c"), entry(6));
  expect([tokens.find(long("b"), 1), tokens.find(long("c"), 1)]).toEqual([5, 6]);
});
