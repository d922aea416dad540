/** Ends a command that has said all there is to say with an exit code of its own. */
export class Exit extends Error {
  override readonly name = "Exit";

  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** What was asked for is not done yet: it waits for the approval of another user. */
export const WAITING = 3;
