import { digestOf } from "../../../common/oci/digest.ts";
import type { Platform } from "../../../common/oci/manifest.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { InvalidPlatformError, platformFilter } from "./platform.ts";

const child = (platform?: Platform) => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(JSON.stringify(platform ?? "")),
  size: 1,
  ...(platform === undefined ? {} : { platform }),
});

const arm64 = { os: "linux", architecture: "arm64" };
const armv6 = { os: "linux", architecture: "arm", variant: "v6" };

test.each([
  { filter: [], platform: arm64, wanted: true, because: "no filter wants everything" },
  { filter: ["linux/arm64"], platform: arm64, wanted: true, because: "it is the same" },
  { filter: ["linux/amd64"], platform: arm64, wanted: false, because: "it is another" },
  { filter: ["linux/amd64", "linux/arm64"], platform: arm64, wanted: true, because: "one of them is enough" },
  { filter: ["arm64"], platform: arm64, wanted: true, because: "linux is meant where nothing is said" },
  { filter: ["arm64"], platform: { ...arm64, os: "windows" }, wanted: false, because: "windows is not" },
  { filter: ["linux/arm64/v8"], platform: arm64, wanted: true, because: "arm64 is v8 where it does not say" },
  { filter: ["linux/arm/v7"], platform: armv6, wanted: false, because: "variants are told apart" },
  {
    filter: ["linux/arm/v7"],
    platform: { os: "linux", architecture: "arm" },
    wanted: true,
    because: "arm is v7",
  },
  { filter: ["linux/arm"], platform: armv6, wanted: true, because: "without a variant every one is wanted" },
  { filter: ["linux/aarch64"], platform: arm64, wanted: true, because: "it is the same by another name" },
  {
    filter: ["linux/amd64"],
    platform: { os: "unknown", architecture: "unknown" },
    wanted: false,
    because: "an attestation is for no platform",
  },
])("T04 $filter, $platform: $wanted, $because", ({ filter, platform, wanted }) => {
  expect(platformFilter(filter).wants(child(platform))).toBe(wanted);
});

test("a child that names no platform is wanted", () => {
  expect(platformFilter(["linux/amd64"]).wants(child())).toBe(true);
});

test.each(["", "linux/", "linux/arm/v7/x", "linux /arm"])("T04 refuses %j", (text) => {
  expect(() => platformFilter([text])).toThrow(InvalidPlatformError);
});
