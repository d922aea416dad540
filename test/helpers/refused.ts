/** Asserting that wrong input is refused as the contract wants it, and random input that can be had again. */
import type { Test } from "tap";
import { PopupError, type ErrorCode } from "../../src/errors.js";

/** The error must be a PopupError that names the field, says `message`, and has a remedy. */
export function refused(t: Test, work: () => unknown, field: string, message: string | RegExp, code: ErrorCode = "invalid"): void {
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  const label = `${field}: ${String(message)}`;
  if (!(thrown instanceof PopupError)) {
    t.fail(`not refused: ${label}`, { thrown });
    return;
  }
  t.match({ code: thrown.code, field: thrown.field, message: thrown.message }, { code, field, message }, label);
  t.ok(thrown.message.startsWith(`${field}: `), `${label}: the message names the field`);
  t.ok(thrown.hint, `${label}: says what to do`);
}

/** A random generator (mulberry32) whose seed is printed; POPUP_SEED repeats a run. */
export function random(t: Test): (below: number) => number {
  const seed = Number(process.env.POPUP_SEED ?? Math.floor(Math.random() * 2 ** 32));
  t.comment(`POPUP_SEED=${seed}`);
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
