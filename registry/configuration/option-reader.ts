import { parseAddress, type ListenAddress } from "../../common/address.ts";
import { parseQuantity } from "../../common/quantity.ts";
import { environmentName, propertyName, type OptionName } from "./options.ts";

/** Options as they come from the command line or the environment. */
export type ServeOptions = Readonly<Record<string, string | boolean | undefined>>;

/** Reads options, and collects what is wrong with them. */
export class OptionReader {
  readonly faults: string[] = [];
  private readonly options: ServeOptions;
  private readonly fromEnvironment: (property: string) => boolean;

  /** @param fromEnvironment whether a property of `options` comes from there: a fault names what a person wrote */
  constructor(options: ServeOptions, fromEnvironment: (property: string) => boolean) {
    this.options = options;
    this.fromEnvironment = fromEnvironment;
  }

  fault(option: OptionName, sentence: string): void {
    const name = this.fromEnvironment(propertyName(option)) ? environmentName(option) : `--${option}`;
    this.faults.push(`${name}: ${sentence}`);
  }

  given(option: OptionName): boolean {
    return this.options[propertyName(option)] === true;
  }

  text(option: OptionName): string | undefined {
    const value = this.options[propertyName(option)];
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  /** What `parse` makes of the text; `undefined` if there is none, and likewise, as a fault, if it cannot be parsed. */
  parsed<T>(option: OptionName, parse: (text: string) => T | undefined, remedy: string): T | undefined {
    const text = this.text(option);
    const value = text === undefined ? undefined : parse(text);
    if (text !== undefined && value === undefined) this.fault(option, remedy);
    return value;
  }

  address(option: OptionName): ListenAddress {
    const address = parseAddress(this.text(option) ?? "");
    if (address === undefined) this.fault(option, "write HOST:PORT, such as 127.0.0.1:5000 or [::]:5000");
    return address ?? { host: "", port: 0 };
  }

  /** A whole number of at least `least` and at most `most`. */
  number(option: OptionName, least: number, most: number): number {
    const text = this.text(option) ?? "";
    const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    this.fault(option, `write a whole number from ${least} to ${most}`);
    return least;
  }

  onOff(option: OptionName): boolean | undefined {
    return this.parsed(option, (text) => ({ on: true, off: false })[text.toLowerCase()], "write on or off");
  }

  /** Bytes, from a number with or without a unit of Kubernetes (`500Gi`), to which people like to add a B. */
  size(option: OptionName): number | undefined {
    const bytes = (text: string): number | undefined => parseQuantity(text.replace(/B$/, ""));
    return this.parsed(option, bytes, "write a size, such as 500Gi");
  }
}
