import { play, type Circumstances, type Ending } from "./run.ts";

/** Plays the story under `circumstances`, and expects it to end as it did without: nobody lost a password by it either. */
export async function expectSameEnd(undisturbed: Ending, circumstances: Circumstances): Promise<void> {
  const { state, left, passwords } = await play(circumstances);
  const call = undisturbed.calls[circumstances.at ?? -1];
  const what = JSON.stringify({ ...circumstances, ...(call === undefined ? {} : { call }) });
  expect({ what, state }).toEqual({ what, state: undisturbed.state });
  expect({ what, left }).toEqual({ what, left: undisturbed.left });
  expect({ what, passwords: passwords.length }).toEqual({ what, passwords: 1 });
}
