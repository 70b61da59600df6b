import * as z from "zod/mini";
import { described } from "./described.ts";

const text = z.string().check(z.minLength(1), z.maxLength(4096));
const host = z.string().check(z.minLength(1), z.maxLength(255));

const login = z.object({
  username: described(
    "The user. `<token>` says that the password is a refresh token, as `docker login` leaves one behind.",
    text,
  ),
  password: described("The password.", text),
});

const proxySchema = z.object({
  url: described(
    "Such as `http://proxy.example:3128`, without a user in it.",
    z.string().check(z.maxLength(4096), z.regex(/^https?:\/\/[^\s/@?#]+\/?$/)),
  ),
  credentials: described("What to log in to it with. Absent: nothing.", z.optional(login)),
  noProxy: described(
    "What is asked directly: a host with all below it, `.domain` for what is below it only, an address, a network such as `10.0.0.0/8`, each with or without `:port`; `*` for all. The machine itself never is asked through a proxy.",
    z._default(z.array(host).check(z.maxLength(100)), []),
  ),
});

export const parentSchema = z.object({
  loginServer: described("`host` or `host:port`.", text),
  protocol: described("`http` is in the clear.", z._default(z.enum(["https", "http"]), "https")),
  caBundle: described(
    "Certificates, in PEM, that the parent's may be signed by, beside the system's.",
    z.optional(z.string().check(z.maxLength(512 * 1024))),
  ),
  credentials: described("What to log in with. Absent: nothing.", z.optional(login)),
  tokenHosts: described(
    "Hosts, beside the parent's own, whose token service may be shown the credentials (Docker Hub has `auth.docker.io`).",
    z._default(z.array(text).check(z.maxLength(10)), []),
  ),
  dataEndpoints: described(
    "Hosts that the parent may send us to for content, such as `contoso.westeurope.data.azurecr.io`; `*.` at the beginning stands for anything. Empty: any, but none nearer to us than the parent itself: a private network, this machine, a metadata service.",
    z._default(z.array(host).check(z.maxLength(50)), []),
  ),
  scope: described(
    "Stands for what the credentials allow: any other value than before asks for a sync now, since there may be more to have.",
    z.optional(text),
  ),
  proxy: described(
    "By way of which the parent, its token service and its content are asked. Absent: as the variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.",
    z.optional(proxySchema),
  ),
});

export type ParentSettings = z.output<typeof parentSchema>;
export type Credentials = z.output<typeof login>;
export type ProxySettings = z.output<typeof proxySchema>;
