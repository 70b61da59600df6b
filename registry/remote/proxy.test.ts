import { addressOf, isProxied, proxyOf } from "./proxy.ts";

describe("T46 a proxy", () => {
  test.each([
    { noProxy: [], url: "https://r.example", proxied: true, because: "nothing is excepted" },
    { noProxy: [], url: "http://localhost:5000", proxied: false, because: "it is this machine" },
    { noProxy: [], url: "http://127.0.0.1:5000", proxied: false, because: "it is this machine" },
    { noProxy: ["*"], url: "https://r.example", proxied: false, because: "everything is excepted" },
    { noProxy: ["r.example"], url: "https://r.example", proxied: false, because: "its name is" },
    { noProxy: ["R.Example"], url: "https://r.example", proxied: false, because: "names have no case" },
    {
      noProxy: ["example"],
      url: "https://r.example",
      proxied: false,
      because: "the domain is, and all below",
    },
    { noProxy: [".example"], url: "https://r.example", proxied: false, because: "all below the domain is" },
    { noProxy: ["*.example"], url: "https://r.example", proxied: false, because: "all below the domain is" },
    { noProxy: [".example"], url: "https://example", proxied: true, because: "only what is below it is" },
    {
      noProxy: ["ample"],
      url: "https://r.example",
      proxied: true,
      because: "a part of a label is no domain",
    },
    { noProxy: ["."], url: "https://r.example", proxied: true, because: "it names nothing" },
    { noProxy: ["r.example:443"], url: "https://r.example", proxied: false, because: "its port is 443" },
    { noProxy: ["r.example:5000"], url: "https://r.example", proxied: true, because: "another port is" },
    { noProxy: ["10.0.0.0/8"], url: "https://10.1.2.3:5000", proxied: false, because: "its network is" },
    { noProxy: ["10.0.0.0/99"], url: "https://10.1.2.3", proxied: true, because: "there is no such network" },
    { noProxy: ["10.1.2.3"], url: "https://10.1.2.3", proxied: false, because: "its address is" },
    { noProxy: ["fd00::/8"], url: "https://[fd00::1]", proxied: false, because: "its network is" },
    { noProxy: ["[fd00::1]:443"], url: "https://[fd00::1]", proxied: false, because: "address and port are" },
    {
      noProxy: ["10.0.0.0/8"],
      url: "https://r.example",
      proxied: true,
      because: "names are not resolved for it",
    },
  ])("for $url: $proxied, with $noProxy: $because", ({ noProxy, url, proxied }) => {
    expect(isProxied({ noProxy }, new URL(url))).toBe(proxied);
  });

  test.each([
    { environment: {}, proxy: undefined, because: "none is named" },
    { environment: { HTTPS_PROXY: "" }, proxy: undefined, because: "an empty one is none" },
    { environment: { HTTP_PROXY: "http://p:1" }, proxy: undefined, because: "it is for the other protocol" },
    { environment: { HTTPS_PROXY: "socks5://p:1" }, proxy: undefined, because: "we do not speak that" },
    {
      environment: { HTTPS_PROXY: "http://p:3128/", NO_PROXY: "a, b  ,c" },
      proxy: { url: "http://p:3128", noProxy: ["a", "b", "c"] },
      because: "it is named, with exceptions",
    },
    {
      environment: { https_proxy: "p:3128", HTTPS_PROXY: "http://other" },
      proxy: { url: "http://p:3128", noProxy: [] },
      because: "small letters win, and the scheme may be missing",
    },
    {
      environment: { HTTPS_PROXY: "http://u%40x:p%3A@p:1" },
      proxy: { url: "http://p:1", credentials: { username: "u@x", password: "p:" }, noProxy: [] },
      because: "it has a login",
    },
  ])("of $environment: $because", ({ environment, proxy }) => {
    expect(proxyOf(environment, "https")).toEqual(proxy);
  });

  test("has its login in its address, whatever characters it has", () => {
    const address = addressOf({
      url: "http://p:3128",
      credentials: { username: "u@x", password: "a:b/c" },
      noProxy: [],
    });
    expect(address).toBe("http://u%40x:a%3Ab%2Fc@p:3128/");
  });
});
