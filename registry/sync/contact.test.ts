import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { ProtocolError, RateLimitedError, UnreachableError } from "../remote/errors.ts";
import { ParentContact } from "./contact.ts";
import type { Parent } from "./parent.ts";
import { StatusBoard } from "./telling/board.ts";

const unreachable = (code: string): Error =>
  new UnreachableError(`contoso.example cannot be reached (${code}).`, { cause: { code } });

function setUp(): { readonly board: StatusBoard; readonly ask: (answer?: Error) => Promise<boolean> } {
  const clock = new ManualClock();
  const board = new StatusBoard("0.1.0", clock, () => "1");
  let fault: Error | undefined;
  const parent = {
    ping: () => (fault === undefined ? Promise.resolve() : Promise.reject(fault)),
  } as unknown as Parent;
  const metrics = { reachable: () => undefined };
  const { signal } = new AbortController();
  const contact = new ParentContact(parent, board, metrics, clock, silentLog, signal);
  const ask = (answer?: Error): Promise<boolean> => {
    fault = answer;
    return contact.check();
  };
  return { board, ask };
}

describe("ParentContact", () => {
  test.each([
    {
      error: unreachable("ENOTFOUND"),
      code: "UNRESOLVABLE",
      state: "Offline",
      because: "its name is unknown",
    },
    {
      error: unreachable("ECONNREFUSED"),
      code: "REFUSED",
      state: "Offline",
      because: "nobody listens there",
    },
    { error: unreachable("ETIMEDOUT"), code: "UNREACHABLE", state: "Offline", because: "it is silent" },
    {
      error: new UnreachableError("It answered 503."),
      code: "UNREACHABLE",
      state: "Offline",
      because: "it is ill",
    },
    {
      error: new ProtocolError("The parent does not speak the OCI distribution API."),
      ...{ code: "NOTAREGISTRY", state: "Unhealthy", because: "somebody else answers there" },
    },
  ])("says $code when $because, until the parent answers", async ({ error, code, state }) => {
    const { board, ask } = setUp();
    await ask(error);
    expect(board.current).toMatchObject({
      connectionState: state,
      statusDetails: [
        { type: "Connection", code, description: expect.stringContaining(error.message) as string },
      ],
    });
    await expect(ask()).resolves.toBe(true);
    expect(board.current).toMatchObject({ connectionState: "Online", statusDetails: [] });
  });

  test("keeps its first sentence as long as the fault is of the same kind", async () => {
    const { board, ask } = setUp();
    await ask(unreachable("ETIMEDOUT"));
    const first = board.current;
    await ask(unreachable("ECONNRESET"));
    expect(board.current).toEqual(first);
    await ask(unreachable("ECONNREFUSED"));
    expect(board.current.statusDetails).toMatchObject([{ code: "REFUSED" }]);
  });

  test("takes whoever asks it to wait for one that is there", async () => {
    const { board, ask } = setUp();
    await expect(ask(new RateLimitedError("Slow down.", undefined))).resolves.toBe(true);
    expect(board.current).toMatchObject({ connectionState: "Online", statusDetails: [] });
  });
});
