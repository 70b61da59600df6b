import { seconds } from "../../common/clock.ts";
import { OciError } from "../../common/oci/errors.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { image, item } from "../content/testing/images.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import {
  DeniedError,
  NotFoundError,
  ProtocolError,
  RateLimitedError,
  UnauthorizedError,
  UnreachableError,
  UntrustedError,
} from "../remote/errors.ts";
import { Edge, large } from "./testing/edge.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item(large("layer"));
const app = image(config, [layer]);

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.open();
  await edge.parent.put("apps/hello", [config, layer, app], "v1");
});

afterEach(async () => {
  await edge.close();
});

const unavailable = { status: 503, code: "UNAVAILABLE" };
const rows = [
  { parent: "has no such thing", fault: new NotFoundError("404"), status: 404, code: "UNKNOWN" },
  { parent: "does not show it to us", fault: new DeniedError("403"), status: 404, code: "UNKNOWN" },
  { parent: "does not answer", fault: new UnreachableError("refused"), ...unavailable },
  { parent: "limits us", fault: new RateLimitedError("429", seconds(9)), ...unavailable },
  { parent: "does not know us", fault: new UnauthorizedError("401"), ...unavailable },
  { parent: "shows a wrong certificate", fault: new UntrustedError("CERT"), ...unavailable },
  { parent: "says something odd", fault: new ProtocolError("HTML"), ...unavailable },
  {
    parent: "may not be asked any more today",
    fault: new LinkQuotaError(new ManualClock().now()),
    ...unavailable,
  },
  {
    parent: "sends what has no room here",
    fault: new OciError("STORAGE_FULL"),
    status: 507,
    code: "STORAGE",
  },
];

describe.each(rows)("a client whose wish meets a parent that $parent", ({ fault, status, code }) => {
  test(`is told ${status} of a manifest`, async () => {
    edge.parent.fault = () => {
      throw fault;
    };
    const answer = await edge.get("apps/hello/manifests/v1");
    expect([answer.status, answer.codes.join()]).toEqual([status, expect.stringContaining(code)]);
  });

  test(`is told ${status} of a blob`, async () => {
    edge.parent.fault = (ask) => {
      if (ask.endsWith(layer.descriptor.digest)) throw fault;
    };
    await edge.get("apps/hello/manifests/v1");
    const answer = await edge.get(`apps/hello/blobs/${layer.descriptor.digest}`);
    expect([answer.status, answer.codes.join()]).toEqual([status, expect.stringContaining(code)]);
  });
});

test("what the parent's errors say is not for clients", async () => {
  edge.parent.fault = () => {
    throw new UnreachableError("registry.contoso.example cannot be reached (ECONNREFUSED).");
  };
  const answer = await edge.get("apps/hello/manifests/v1");
  expect(answer.body.toString()).not.toMatch(/contoso|ECONN/);
});
