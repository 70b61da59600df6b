import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { hasCode } from "../../common/errors.ts";

/**
 * A TCP port of `host` that nothing listens on. Below the range from which systems take the ports of outgoing
 * connections, so that none of those takes it before a server does.
 */
export async function freePort(host: string): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    try {
      server.listen(port, host);
      await once(server, "listening");
      return port;
    } catch (error) {
      if (!hasCode(error, "EADDRINUSE") && !hasCode(error, "EACCES")) throw error;
    } finally {
      server.close();
    }
  }
}
