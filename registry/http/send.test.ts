import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { send } from "./send.ts";

test("S05 content is closed also when the client went away before the first byte, so that no file stays open", async () => {
  const gone = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => {
    response.once("close", () => {
      gone.resolve(response);
    });
    client.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = get({ host: "127.0.0.1", port }).on("error", () => undefined);
  const content = Readable.from(["bytes"]);
  await expect(send(content, await gone.promise)).rejects.toThrow();
  expect(content.destroyed).toBe(true);
  await new Promise((resolve) => server.close(resolve));
});
