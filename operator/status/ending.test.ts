import { endingText } from "../../common/contract/ending.ts";
import type { Pod } from "../api/kubernetes.ts";
import { endingOf, newestOf, volumeFaultOf } from "./ending.ts";

type Container = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

const message = endingText({ code: "VolumeReadOnly", message: "EROFS" });
const terminated = { exitCode: 1, message };
const pod = (container: Partial<Container>, metadata: Partial<Pod["metadata"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "pod-1", ...metadata },
  status: { containerStatuses: [{ name: "registry", image: "x", ...container }] },
});

describe("the ending of a pod's program", () => {
  it.each([
    { container: { state: { terminated } }, because: "it has just ended" },
    { container: { state: { waiting: {} }, lastState: { terminated } }, because: "it waits to be started" },
    {
      container: { ready: false, state: { running: {} }, lastState: { terminated } },
      because: "it runs again, and may be about to end so again: the condition must not flap",
    },
  ])("counts: $because", ({ container }) => {
    expect(endingOf(pod(container))).toMatchObject({ code: "VolumeReadOnly" });
  });

  it.each([
    {
      container: { ready: true, state: { running: {} }, lastState: { terminated } },
      because: "it is ready: what was is mended",
    },
    { container: { state: { waiting: {} } }, because: "it has never ended" },
    { container: { state: { terminated: { exitCode: 1 } } }, because: "it left nothing" },
    { container: { name: "another", state: { terminated } }, because: "it is of another container" },
  ])("does not count: $because", ({ container }) => {
    expect(endingOf(pod(container))).toBeUndefined();
  });

  it("is that of the newest pod that stays", () => {
    const old = pod({ state: { terminated } }, { name: "old", creationTimestamp: "2026-11-21T08:00:00Z" });
    const leaving = pod(
      { state: { terminated } },
      {
        name: "leaving",
        creationTimestamp: "2026-11-21T08:00:09Z",
        deletionTimestamp: "2026-11-21T08:01:00Z",
      },
    );
    const fresh = pod({}, { name: "fresh", creationTimestamp: "2026-11-21T08:00:05Z" });
    expect(newestOf([old, leaving, fresh])?.metadata.name).toBe("fresh");
    expect(volumeFaultOf([old, leaving, fresh], "a-claim")).toBeUndefined();
    expect(volumeFaultOf([old, leaving], "a-claim")?.message).toBe(
      'The volume of the PersistentVolumeClaim "a-claim" is mounted read-only.',
    );
  });
});
