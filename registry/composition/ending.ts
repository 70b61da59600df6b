import { constants } from "node:fs";
import { access, writeFile } from "node:fs/promises";
import { InvalidConfigError } from "../../common/contract/config.ts";
import { endingText, type Ending, type EndingCode } from "../../common/contract/ending.ts";
import { messageOf } from "../../common/errors.ts";
import { isInUse } from "../content/lock.ts";

/** What the system says of a file. */
const bySystem: Readonly<Record<string, EndingCode>> = {
  EROFS: "VolumeReadOnly",
  EACCES: "VolumeForbidden",
  EPERM: "VolumeForbidden",
  ENOSPC: "VolumeFull",
  EDQUOT: "VolumeFull",
  ENOTSUP: "VolumeUnsuitable",
  EOPNOTSUPP: "VolumeUnsuitable",
  ENOSYS: "VolumeUnsuitable",
  ENOLCK: "VolumeUnsuitable",
};
/** What SQLite says of locks and of memory that is shared: UNLOCK, RDLOCK, LOCK, SHMOPEN, SHMSIZE, SHMLOCK, SHMMAP; PROTOCOL. */
const lacking: readonly number[] = [2058, 2314, 3850, 4618, 4874, 5130, 5386, 15];
/** PERM, READONLY and CANTOPEN: it does not say why it may not write. */
const unwritable: readonly number[] = [3, 8, 14];
const full = 13;

/**
 * What a person can do something about in what ended the program.
 *
 * @param data the directory of the data
 * @returns `undefined` for everything else
 */
export async function endingOf(error: unknown, data: string): Promise<Ending | undefined> {
  const code = await codeOf(error, data);
  if (code === undefined) return undefined;
  const ending = { code, message: messageOf(error) };
  const holder = isInUse(error) ? error.holder : undefined;
  return holder === undefined ? ending : { ...ending, holder };
}

/** Leaves it for the kubelet. Makes no file: only a container of a pod has it. */
export async function leaveEnding(path: string, ending: Ending): Promise<void> {
  try {
    await writeFile(path, endingText(ending), { flag: "r+" });
  } catch {
    // The log tells it as well.
  }
}

async function codeOf(error: unknown, data: string): Promise<EndingCode | undefined> {
  if (isInUse(error)) return "AlreadyActivated";
  if (error instanceof InvalidConfigError) return "ConfigurationInvalid";
  const { code, path, errcode } = error as Readonly<Record<string, unknown>>;
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") return codeOfDatabase(errcode, data);
  const ours = typeof path === "string" && `${path}/`.startsWith(`${data.replace(/\/+$/, "")}/`);
  return ours && typeof code === "string" ? bySystem[code] : undefined;
}

async function codeOfDatabase(errcode: number, data: string): Promise<EndingCode | undefined> {
  const primary = errcode & 0xff;
  if (primary === full) return "VolumeFull";
  if (lacking.includes(errcode) || lacking.includes(primary)) return "VolumeUnsuitable";
  if (!unwritable.includes(primary)) return undefined;
  try {
    await access(data, constants.W_OK | constants.X_OK);
    // The directory would let us: its files are somebody else's.
    return "VolumeForbidden";
  } catch (cause) {
    return bySystem[String((cause as { readonly code?: unknown }).code)];
  }
}
