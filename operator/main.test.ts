import { command } from "./main.ts";

function parse(...args: readonly string[]): Promise<unknown> {
  return command()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(args, { from: "user" });
}

test.each([
  {
    args: [],
    code: "commander.missingMandatoryOptionValue",
    because: "there is no registry without an image",
  },
  {
    args: ["--registry-image", "x:1", "--leader-elect", "maybe"],
    code: "commander.invalidArgument",
    because: "two leaders by a typing error would be worse than none",
  },
  {
    args: ["--registry-image", "x:1", "--probes", "8081"],
    code: "commander.invalidArgument",
    because: "host missing",
  },
  {
    args: ["--registry-image", "x:1", "--log-level", "loud"],
    code: "commander.invalidArgument",
    because: "unknown",
  },
])("refuses $args, because $because", async ({ args, code }) => {
  await expect(parse(...args)).rejects.toMatchObject({ code });
});

test("names the environment variable of every option in its help", () => {
  const help = command().helpInformation();
  const options = command().options.filter(({ long }) => long !== "--help");
  expect(options.length).toBeGreaterThan(5);
  for (const { long, envVar } of options) {
    expect(help).toContain(String(long));
    expect(help.replaceAll(/\s+/g, " ")).toContain(`env: ${String(envVar)}`);
  }
});
