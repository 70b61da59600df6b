import { attachedPrefix, attachedTo } from "./attached-tag.ts";
import { digestOf, parseDigest } from "./digest.ts";

const image = digestOf(Buffer.from("an image"));
const longer = parseDigest(`sha512:${"0123456789abcdef".repeat(8)}`);

test.each([
  { digest: image, prefix: image.replace(":", "-"), because: "the schema replaces the colon" },
  {
    digest: longer,
    prefix: `sha512-${"0123456789abcdef".repeat(4)}`,
    because: "a tag has 128 characters at most, so the schema takes 64 digits",
  },
])("the referrers tag of a digest: $because", ({ digest, prefix }) => {
  expect(attachedPrefix(digest)).toBe(prefix);
});

test.each([
  { tag: image.replace(":", "-"), about: image, because: "it is a referrers tag" },
  { tag: `${image.replace(":", "-")}.sig`, about: image, because: "so cosign names signatures" },
  { tag: "sha256-abc", about: undefined, because: "it is no whole digest" },
  { tag: "v1", about: undefined, because: "it is an image's" },
])("what the tag $tag is about: $because", ({ tag, about }) => {
  expect(attachedTo(tag)).toBe(about);
});
