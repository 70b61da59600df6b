import { statfs } from "node:fs/promises";

/** What kind of file system holds the data, by the number that the system gives it (statfs(2)). */
export type FileSystemType = (path: string) => Promise<number>;

export const fileSystemType: FileSystemType = async (path) => (await statfs(path)).type;

/** File systems whose files other machines, or programs, may serve. */
const remote: Readonly<Record<number, string>> = {
  0x00006969: "NFS",
  0x0000517b: "SMB",
  0xfe534d42: "SMB",
  0xff534d42: "SMB",
  0x01021997: "9p",
  0x65735546: "FUSE",
  0x00c36400: "Ceph",
  0x0bd00bd0: "Lustre",
  0x01161970: "GFS2",
  0x7461636f: "OCFS2",
  0x47504653: "GPFS",
  0x5346414f: "AFS",
  0x73757245: "Coda",
  0x0000564c: "NCP",
};

/**
 * The name of a file system on which memory that two processes map may not be shared: there the database keeps the index of its log
 * to itself, and nobody else can open it meanwhile, not even to look. `undefined` for all others, also unknown ones.
 */
export function remoteFileSystem(type: number): string | undefined {
  return remote[type >>> 0];
}

/** What to say when data on such a file system seems to be in use. */
export function lockAdvice(name: string): string {
  return (
    `if no process does, ${name} does not keep locks there: mount it so that it does (NFS: not with nolock, and with a lock ` +
    "service; SMB: with nobrl), or keep the data on a disk"
  );
}
