/**
 * The one error type of the engine and the two tables that translate its code:
 * to an HTTP status and to a process exit code.
 */

export type ErrorCode =
  | "usage" // the command line itself is wrong
  | "invalid" // a value breaks a rule of the contract
  | "bad_file" // a file cannot be read, or its content is refused
  | "unauthorized" // nothing says who asks, or what says it is not valid
  | "forbidden" // who asks may not ask this
  | "not_found"
  | "method_not_allowed"
  | "conflict" // the request is fine, the present state forbids it
  | "too_large"
  | "unavailable" // Redis, a port or another part is away
  | "internal";

interface Detail {
  readonly field?: string;
  readonly cause?: unknown;
}

/** What a person can meet going wrong: `message` says what and where, `hint` what to do about it. */
export class PopupError extends Error {
  override readonly name = "PopupError";
  readonly code: ErrorCode;
  /** Only a fault of the engine itself has none: there is nothing that its user could do. */
  readonly hint: string | undefined;
  /** The field the error is about, as the caller named it. */
  readonly field: string | undefined;

  constructor(code: "internal", message: string, detail?: Detail & { readonly hint?: string });
  constructor(code: ErrorCode, message: string, detail: Detail & { readonly hint: string });
  constructor(code: ErrorCode, message: string, detail: Detail & { readonly hint?: string } = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.hint = detail.hint;
    this.field = detail.field;
  }
}

export const HTTP_STATUS: Record<ErrorCode, number> = {
  usage: 400,
  invalid: 400,
  bad_file: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unavailable: 503,
  internal: 500,
};

/** 0 done, 1 failed, 2 wrong usage. */
export const EXIT_CODE: Record<ErrorCode, 1 | 2> = {
  usage: 2,
  invalid: 2,
  bad_file: 1,
  unauthorized: 1,
  forbidden: 1,
  not_found: 1,
  method_not_allowed: 1,
  conflict: 1,
  too_large: 1,
  unavailable: 1,
  internal: 1,
};

/** A value that breaks a rule: which field, what is wrong with it, and what would be right. */
export function invalid(field: string, problem: string, hint: string): PopupError {
  return new PopupError("invalid", `${field}: ${problem}`, { field, hint });
}

/** The text of anything thrown, for messages that quote a cause. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
