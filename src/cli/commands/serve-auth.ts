/** The flags of `popup serve` that say who may ask. */
import { BlockList, isIP } from "node:net";
import { type Command, Option } from "commander";
import { AUTH_MODES, type AuthSettings } from "../../auth/settings.js";
import { PopupError } from "../../errors.js";

export interface AuthFlags {
  auth: AuthSettings["mode"];
  insecure?: boolean;
  jwtSecretFile?: string;
  jwtKeys?: string;
  jwtClaim: string;
  jwtIssuer?: string;
  jwtAudience?: string;
  jwtLeeway: string;
}

const JWT_FLAGS = [
  ["jwtSecretFile", "--jwt-secret-file"],
  ["jwtKeys", "--jwt-keys"],
  ["jwtIssuer", "--jwt-issuer"],
  ["jwtAudience", "--jwt-audience"],
] as const;
const MOST_LEEWAY_S = 600;

export function addAuthFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--auth <mode>", "who may ask: anyone, a customer's app with a JWT, a system with an API key").choices([...AUTH_MODES]).default("none"),
    )
    .option("--jwt-secret-file <file>", "the secret of HS256, at least 32 bytes (or env POPUP_JWT_SECRET)")
    .option("--jwt-keys <file>", "public keys of RS256 or ES256: a JWKS, or one key or certificate as PEM")
    .option("--jwt-claim <name>", "the claim that is the user id", "sub")
    .option("--jwt-issuer <text>", "the iss that tokens must have")
    .option("--jwt-audience <text>", "the aud that tokens must have")
    .option("--jwt-leeway <seconds>", "by how much the issuer's clock may differ", "30")
    .option("--insecure", "listen beyond this machine even with --auth none");
}

/**
 * @param secretGiven true when the environment holds a secret
 * @throws PopupError `usage`
 */
export function parseAuth(flags: AuthFlags, secretGiven: boolean): AuthSettings {
  if (flags.auth !== "jwt") {
    const [, stray] = JWT_FLAGS.find(([name]) => flags[name] !== undefined) ?? [];
    if (stray !== undefined) throw usage(`${stray}: is for --auth jwt`, "add --auth jwt, or leave it out");
    return { mode: flags.auth };
  }
  const { jwtKeys, jwtSecretFile } = flags;
  if (jwtKeys !== undefined && (jwtSecretFile !== undefined || secretGiven))
    throw usage("--jwt-keys: there is a secret for HS256 beside it", "give the one that the tokens are signed with");
  if (jwtSecretFile !== undefined && secretGiven) throw usage("--jwt-secret-file: POPUP_JWT_SECRET is set too", "give the secret once");
  if (jwtKeys === undefined && jwtSecretFile === undefined && !secretGiven)
    throw usage("--auth jwt: there is nothing to verify tokens with", "give --jwt-keys FILE, --jwt-secret-file FILE or POPUP_JWT_SECRET");
  const leewayS = /^\d{1,3}$/.test(flags.jwtLeeway) ? Number(flags.jwtLeeway) : Number.NaN;
  if (!(leewayS <= MOST_LEEWAY_S)) throw usage(`--jwt-leeway: "${flags.jwtLeeway}" is not a number of seconds`, `give 0 to ${MOST_LEEWAY_S}`);
  if (flags.jwtClaim === "") throw usage("--jwt-claim: is empty", "name the claim that is the user id");
  return {
    mode: "jwt",
    source: jwtKeys === undefined ? "secret" : "keys",
    file: jwtKeys ?? jwtSecretFile ?? null,
    rules: { claim: flags.jwtClaim, issuer: flags.jwtIssuer ?? null, audience: flags.jwtAudience ?? null, leewayS },
  };
}

/**
 * An engine that asks nobody who they are belongs behind something that does, on the same machine.
 * @throws PopupError `usage`
 */
export function checkExposure(host: string, { auth, insecure }: Pick<AuthFlags, "auth" | "insecure">): void {
  if (auth !== "none" || insecure === true || isLoopback(host)) return;
  throw usage(
    `--host ${host}: with --auth none everyone who reaches it may ask for every customer`,
    "give --auth jwt or --auth key; or --insecure, if what stands before it checks who asks",
  );
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** A name other than localhost is not looked up: what it means may change. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  return host === "localhost" || (family !== 0 && LOOPBACK.check(host, family === 6 ? "ipv6" : "ipv4"));
}

function usage(message: string, hint: string): PopupError {
  return new PopupError("usage", message, { hint });
}
