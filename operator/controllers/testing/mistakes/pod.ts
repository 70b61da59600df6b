import type { Mistake } from "./mistake.ts";
import type { Scene } from "./scene.ts";

const running = { in: "running", condition: "Available", then: "waits" } as const;

async function mend(scene: Scene): Promise<void> {
  await scene.pod({ phase: "Running" });
  await scene.rollout(1);
}

/** The pod is not ready, for its container waits. */
const waiting = (reason: string, message: string) => async (scene: Scene) => {
  await scene.container({ waiting: { reason, message } });
  await scene.rollout(0);
};

const imageFault = {
  ...running,
  reason: "ImagePullFailed",
  says: "cannot pull the registry's own image registry.example/x:1",
  mend,
} as const;

export const podMistakes: readonly Mistake[] = [
  {
    ...running,
    mistake: "no node has room",
    make: async (scene) => {
      const unschedulable = { type: "PodScheduled", status: "False", reason: "Unschedulable" };
      await scene.pod({
        phase: "Pending",
        conditions: [{ ...unschedulable, message: "0/1 nodes: Insufficient cpu" }],
      });
      await scene.rollout(0);
    },
    reason: "Unschedulable",
    says: "0/1 nodes: Insufficient cpu",
    mend: async (scene) => {
      await scene.pod({ phase: "Running", conditions: [{ type: "PodScheduled", status: "True" }] });
      await scene.rollout(1);
    },
  },
  { ...imageFault, mistake: "the image is not there", make: waiting("ErrImagePull", "not found") },
  {
    ...imageFault,
    mistake: "the image cannot be pulled again and again",
    make: waiting("ImagePullBackOff", ""),
  },
  { ...imageFault, mistake: "the image has no valid name", make: waiting("InvalidImageName", "") },
  {
    ...running,
    mistake: "the container cannot be made",
    make: waiting("CreateContainerConfigError", 'secret "x" not found'),
    reason: "PodNotStarting",
    says: 'secret "x" not found',
    mend,
  },
  {
    ...running,
    mistake: "the program ends again and again",
    make: async (scene) => {
      const terminated = { exitCode: 2, reason: "Error" };
      await scene.container({ waiting: { reason: "CrashLoopBackOff" } }, { terminated });
      await scene.rollout(0);
    },
    reason: "PodCrashing",
    says: "exit code 2",
    mend,
  },
  {
    ...running,
    mistake: "it may have too little memory",
    make: async (scene) => {
      await scene.container({ terminated: { exitCode: 137, reason: "OOMKilled" } });
      await scene.rollout(0);
    },
    reason: "PodCrashing",
    says: "more memory than spec.resources allows",
    mend,
  },
  {
    ...running,
    mistake: "the pod was evicted",
    make: async (scene) => {
      await scene.pod({ phase: "Failed", reason: "Evicted" });
      await scene.rollout(0);
    },
    reason: "PodNotStarting",
    says: "Evicted",
    mend,
  },
  {
    ...running,
    mistake: "a quota forbids the pod",
    make: async (scene) => {
      await scene.removePod();
      const failure = { type: "ReplicaFailure", status: "True", reason: "FailedCreate" };
      await scene.rollout(0, [{ ...failure, message: "exceeded quota: small" }]);
    },
    reason: "PodForbidden",
    says: "exceeded quota: small",
    mend,
  },
];
