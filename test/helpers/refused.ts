/** Asserting that wrong input is refused as the contract wants it, and random input. */
import type { Test } from "tap";
import { type ErrorCode, PopupError } from "../../dist/errors.js";
import { Random, seedOfRun } from "./random.js";

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

/** Random whole numbers of 0 to `below` - 1; prints the seed, and POPUP_SEED repeats a run. */
export function random(t: Test): (below: number) => number {
  const source = new Random(seedOfRun());
  t.comment(`POPUP_SEED=${source.seed}`);
  return (below) => source.between(0, below - 1);
}
