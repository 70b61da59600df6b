import { hashBroughtPassword, hashPassword } from "./password.ts";

const salt = "00112233445566778899aabbccddeeff";

// Both are kept in Secrets and files: a value that changes would lock everybody out.
test("the hash of a generated password is SHA-256 of salt and password", () => {
  expect(hashPassword("correct horse", salt)).toBe(
    "45696a7b84e9eb106109744e5fbfb29e78e426967c48f3b00e9e90ea602e5e3d",
  );
});

test("the hash of a brought password is scrypt of the contract's cost", async () => {
  await expect(hashBroughtPassword("correct horse", salt)).resolves.toBe(
    "a981df09d00720bad786476962f873ab30e1be196b01e8c5d94b82a25a062683",
  );
});
