import { TransferBuffers } from "./transfer-buffers.ts";

const limits = { total: 1024, largest: 256, smallest: 32 };

test("a buffer that was given back is used again", () => {
  const buffers = new TransferBuffers(limits);
  buffers.begin();
  const first = buffers.take();
  buffers.give(first);
  expect(buffers.take()).toBe(first);
});

test.each([
  { transfers: 1, size: 256, because: "one may have the largest" },
  { transfers: 4, size: 256, because: "four times the largest is the total" },
  { transfers: 5, size: 128, because: "the fifth makes all smaller" },
  { transfers: 32, size: 32, because: "each has its share" },
  { transfers: 500, size: 32, because: "nobody gets nothing" },
])("of $transfers transfers each takes $size: $because", ({ transfers, size }) => {
  const buffers = new TransferBuffers(limits);
  for (let i = 0; i < transfers; i++) buffers.begin();
  expect(buffers.take()).toHaveLength(size);
});

test("transfers that hold large buffers leave small ones to those who come later, and the least they need is all that is taken beyond the total", () => {
  const buffers = new TransferBuffers(limits);
  for (let i = 0; i < 20; i++) {
    buffers.begin();
    buffers.take();
  }
  expect(buffers.bytes).toBeLessThanOrEqual(limits.total + 20 * limits.smallest);
});

test("what is given back is not kept beyond the total, and is not kept at all when no transfer runs", () => {
  const buffers = new TransferBuffers(limits);
  for (let i = 0; i < 3; i++) buffers.begin();
  const taken = Array.from({ length: 40 }, () => buffers.take());
  for (const buffer of taken) buffers.give(buffer);
  expect(buffers.bytes).toBeLessThanOrEqual(limits.total);
  for (let i = 0; i < 3; i++) buffers.end();
  expect(buffers.bytes).toBe(0);
  expect(taken.every(({ length }) => length === 0)).toBe(true);
});
