import { randomBytes } from "node:crypto";
import { requestIds } from "./request-ids.ts";

test("ids are 128 bits in hexadecimal, and no two are the same, however many there are", () => {
  const newId = requestIds(randomBytes);
  const ids = Array.from({ length: 1000 }, newId);
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
