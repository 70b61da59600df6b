const http = process.getBuiltinModule("node:http");

/**
 * `node:http` for whoever must stay small. An `import` of it evaluates every export of the module, and one of them,
 * `WebSocket`, loads an HTTP client of its own: 13 MiB of resident memory that nobody here uses.
 */
export const { Agent, createServer, request } = http;
