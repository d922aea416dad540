/** From the setting to the gate. */
import { PopupError } from "../errors.js";
import type { Clock } from "../time.js";
import type { Gate } from "./gate.js";
import { JwtGate } from "./jwt-gate.js";
import { type KeyFile, openKeyFile } from "./key-file.js";
import { KeyGate } from "./key-gate.js";
import type { AuthSettings } from "./settings.js";
import { parsePublicKeys, parseSecret } from "./token-keys.js";

export interface GateParts {
  readonly clock: Clock;
  /** The published API keys, id → SHA-256; undefined until they are known. */
  readonly apiKeys: () => ReadonlyMap<string, Buffer> | undefined;
  /** The secret of HS256 from the environment. */
  readonly jwtSecret: string | undefined;
  /** See {@link openKeyFile}. */
  readonly onKeyFile: (error: unknown) => void;
}

/** The gate, or undefined where everyone may ask. @throws PopupError `bad_file`, `usage` for keys that cannot be used */
export async function openGate(settings: AuthSettings, parts: GateParts): Promise<Gate | undefined> {
  if (settings.mode === "none") return undefined;
  if (settings.mode === "key") return new KeyGate(parts.apiKeys);
  return new JwtGate(await openKeys(settings, parts), settings.rules, parts.clock);
}

async function openKeys({ source, file }: AuthSettings & { mode: "jwt" }, { jwtSecret, onKeyFile }: GateParts): Promise<KeyFile> {
  if (file !== null) return openKeyFile(file, source === "keys" ? parsePublicKeys : parseSecret, onKeyFile);
  if (jwtSecret === undefined)
    throw new PopupError("usage", "--auth jwt: there is nothing to verify tokens with", {
      hint: "give --jwt-keys FILE, --jwt-secret-file FILE or POPUP_JWT_SECRET",
    });
  return { current: await parseSecret(Buffer.from(jwtSecret), "POPUP_JWT_SECRET"), close: () => undefined };
}
