/** How callers are known: a setting of `popup serve`, handed to its API processes. No secret is in it. */
export const AUTH_MODES = ["none", "jwt", "key"] as const;

export interface JwtRules {
  /** The claim that is the user id. */
  readonly claim: string;
  readonly issuer: string | null;
  readonly audience: string | null;
  /** By how much the issuer's clock may differ, s. */
  readonly leewayS: number;
}

export type AuthSettings =
  | { readonly mode: "none" }
  | { readonly mode: "key" }
  /** `file` is null for a secret from the environment. */
  | { readonly mode: "jwt"; readonly source: "secret" | "keys"; readonly file: string | null; readonly rules: JwtRules };
