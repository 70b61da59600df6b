import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { endSmall } from "./head.ts";

test.each([
  { length: 0, because: "a body may be empty" },
  { length: 256, because: "every value that a byte can have goes as it is" },
  { length: 14_336, because: "the largest that goes as a text" },
  { length: 14_337, because: "a larger one goes as bytes" },
])("a small body of $length bytes comes as it was: $because", async ({ length }) => {
  const memory = new Uint8Array(length + 7).map((_, i) => i % 256);
  const body = memory.subarray(7);
  const server = createServer((_request, response) => {
    response.writeHead(200, ["Content-Length", String(length)]);
    endSmall(response, body);
  }).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(get({ port, agent: false }), "response")) as [IncomingMessage];
    expect(await buffer(response)).toEqual(Buffer.from(body));
  } finally {
    server.close();
  }
});
