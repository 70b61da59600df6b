import { BlockList, isIP, isIPv6 } from "node:net";
import type { ProxySettings } from "../../common/contract/parent-settings.ts";
import { UnauthorizedError } from "./errors.ts";
import { reachOf } from "./reach.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether `url` is asked by way of the proxy. This machine never is; otherwise all but what `noProxy` names. */
export function isProxied({ noProxy }: Pick<ProxySettings, "noProxy">, url: URL): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (reachOf(host) === "loopback") return false;
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return !noProxy.some((entry) => names(entry.trim().toLowerCase(), host, port));
}

function names(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const [, pattern = entry, wantedPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const plain = pattern.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) return isWithin(host, plain);
  const domain = plain.replace(/^\*?\./, "");
  if (domain === "") return false;
  return host.endsWith(`.${domain}`) || (domain === plain && host === domain);
}

function isWithin(address: string, network: string): boolean {
  const [base = "", prefix] = network.split("/");
  if (isIP(base) === 0 || isIP(base) !== isIP(address)) return false;
  const family = isIPv6(base) ? "ipv6" : "ipv4";
  const bits = prefix === undefined ? (family === "ipv6" ? 128 : 32) : Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === "ipv6" ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(base, bits, family);
  return list.check(address, family);
}

/** The proxy's address with its user and password, as Node's agents want it. Holds a secret. */
export function addressOf({ url, credentials }: ProxySettings): string {
  const address = new URL(url);
  if (credentials !== undefined) {
    address.username = encodeURIComponent(credentials.username);
    address.password = encodeURIComponent(credentials.password);
  }
  return address.href;
}

/** The proxy for a parent that the environment names, in capitals or not, as other clients read it; nonsense is none. */
export function proxyOf(environment: Environment, protocol: "https" | "http"): ProxySettings | undefined {
  const read = (name: string): string => environment[name.toLowerCase()] ?? environment[name] ?? "";
  const text = read(`${protocol.toUpperCase()}_PROXY`);
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (text === "" || !URL.canParse(address)) return undefined;
  const { protocol: scheme, host, username, password } = new URL(address);
  if (host === "" || (scheme !== "http:" && scheme !== "https:")) return undefined;
  const login = { username: decoded(username), password: decoded(password) };
  return {
    url: `${scheme}//${host}`,
    ...(username === "" ? {} : { credentials: login }),
    noProxy: read("NO_PROXY")
      .split(/[\s,]+/)
      .filter((entry) => entry !== ""),
  };
}

/** What a 407 means. */
export function refusedByProxy(): UnauthorizedError {
  return new UnauthorizedError("The proxy on the way to the parent does not accept our credentials.", {
    remedy: "Check the user name and password in the Secret of the parent's proxy.",
  });
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
