import { credentialsSecretName } from "../../resources/names.ts";
import { SecretKind } from "../../api/kubernetes.ts";
import { Rig } from "../../controllers/testing/rig.ts";
import { deletion, story } from "./story.ts";
import { endState } from "./end-state.ts";
import { TroubledCalls, type Trouble } from "./trouble.ts";

/** How a run of the story ended. */
export interface Ending {
  /** Before the registry was deleted. */
  readonly state: Readonly<Record<string, unknown>>;
  /** After it. */
  readonly left: Readonly<Record<string, unknown>>;
  /** What the token's password was, one after another. */
  readonly passwords: readonly string[];
  /** Calls of the operator. */
  readonly calls: readonly string[];
}

export interface Circumstances {
  /** The call that meets `trouble`. */
  readonly at?: number;
  readonly trouble?: Trouble;
  /** How many calls later what happens is seen. */
  readonly lag?: number;
}

/** Plays the story, with a process that is started again whenever it has ended. */
export async function play({ at = -1, trouble = "fails", lag = 0 }: Circumstances): Promise<Ending> {
  const calls = new TroubledCalls({
    at,
    trouble,
    onEnd: () => {
      rig.restart();
    },
  });
  const rig = new Rig((cluster) => calls.process(cluster), {}, true, lag);
  const passwords: string[] = [];
  rig.cluster.watch(SecretKind, (_, after) => {
    const password = after?.data?.password1;
    if (after?.metadata.name === credentialsSecretName("edge-puller") && password !== undefined) {
      if (passwords.at(-1) !== password) passwords.push(password);
    }
  });
  await rig.bringSecrets();
  for (const { act } of story) {
    await act(rig);
    await toRest(rig);
  }
  const state = endState(rig.cluster.all());
  await deletion(rig);
  await toRest(rig);
  return { state, left: endState(rig.cluster.all()), passwords, calls: calls.made };
}

async function toRest(rig: Rig): Promise<void> {
  do await rig.settle();
  while (rig.retry());
}
