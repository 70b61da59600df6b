import { repeatedKey } from "./unique-keys.ts";

describe("S10 a repeated key", () => {
  test.each([
    { json: '{"a":1,"a":2}', key: "a", because: "it is there twice" },
    { json: '{"a":1, "\\u0061" : 2}', key: "a", because: "an escape is another spelling" },
    { json: '{"layers":[],"Layers":[]}', key: "Layers", because: "programs in Go ignore case" },
    { json: '[{"x":{"b":[],"c":"b","b":{}}}]', key: "b", because: "an inner object has it" },
  ])("is found in $json: $because", ({ json, key }) => {
    expect(repeatedKey(json)).toBe(key);
  });

  test.each([
    { json: '{"a":{"a":1},"b":[{"a":1},{"a":1}]}', because: "each object has its own keys" },
    { json: '{"a":"{\\"x\\":1,\\"x\\":2}"}', because: "it is inside a string" },
    { json: '{"a":"b","c":["b","b"],"b":"\\\\"}', because: "values are no keys" },
    { json: '{"annotations":{"x":"1","X":"2"}}', because: "case counts below the top" },
    { json: '"a"', because: "there is no object" },
  ])("is not found in $json: $because", ({ json }) => {
    expect(repeatedKey(json)).toBeUndefined();
  });
});
