import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { ScriptedServer } from "../../../common/testing/scripted-http.ts";

const issuer = "token service of a test";
const kid = "test";

interface Login {
  readonly username: string;
  readonly password: string;
}

/** A token service for CNCF distribution, as its token specification has it. */
export class TokenService {
  readonly service = "parent";
  /** Tokens that were asked for, with what was wanted. */
  readonly asked: string[] = [];
  /** Who is known at the moment. */
  login: Login;
  lifetimeSeconds = 300;
  /** What distribution is to check tokens with. */
  readonly jwks: string;
  private readonly server: ScriptedServer;

  private constructor(server: ScriptedServer, jwks: string, login: Login) {
    this.server = server;
    this.jwks = jwks;
    this.login = login;
  }

  static async start(login: Login): Promise<TokenService> {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const server = await ScriptedServer.start(() => undefined);
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" };
    const started = new TokenService(server, JSON.stringify({ keys: [jwk] }), login);
    server.use(({ url, headers }, response) => {
      const { username, password } = started.login;
      const wanted = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
      const { searchParams } = new URL(url, "http://service");
      const scope = searchParams.get("scope") ?? "";
      started.asked.push(scope);
      if (headers.authorization !== wanted || searchParams.get("service") !== started.service) {
        response.writeHead(401).end();
        return;
      }
      const [, type, name, actions] = /^([a-z]+):(.+):([a-z*,]+)$/.exec(scope) ?? [];
      const access = name === undefined ? [] : [{ type, name, actions: actions?.split(",") }];
      void new SignJWT({ access })
        .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
        .setIssuer(issuer)
        .setSubject(username)
        .setAudience(started.service)
        .setIssuedAt()
        .setNotBefore("-1 minute")
        .setExpirationTime(`${started.lifetimeSeconds} seconds`)
        .setJti(String(started.asked.length))
        .sign(privateKey)
        .then((token) => response.end(JSON.stringify({ token, expires_in: started.lifetimeSeconds })));
    });
    return started;
  }

  /** For distribution's configuration. @param jwks the file with them */
  authOf(jwks: string): object {
    return { token: { realm: `${this.server.origin}/token`, service: this.service, issuer, jwks } };
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
