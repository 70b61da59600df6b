import { createServer } from "node:http";

// The least that a server on Node does: `node bare-node.ts PORT BYTES` answers every request with so many bytes, and
// with as many headers as a registry has to send.
const [port, bytes] = process.argv.slice(2).map(Number);
const body = Buffer.alloc(bytes ?? 0, "x");
const digest = `sha256:${"0".repeat(64)}`;
const head = [
  ["Docker-Distribution-API-Version", "registry/2.0"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Request-Id", "00000000-0000-0000-0000-000000000000"],
  ["Docker-Content-Digest", digest],
  ["ETag", `"${digest}"`],
  ["Content-Type", "application/octet-stream"],
  ["Content-Length", `${body.length}`],
].flat();

createServer((_request, response) => {
  response.writeHead(200, head).end(body);
}).listen(port, "127.0.0.1");
