/** Work that can wait goes behind decisions on the machine's cores. */
import { getPriority, setPriority } from "node:os";

/** How far behind: a process of 10 gets a tenth of what one of 0 gets when both want a core, and all of it otherwise. */
export const PRIORITY = { worker: 5, sync: 10, load: 10 } as const;

/** Lowers this process' priority; one that is lower already stays as it is. Raising it again takes more rights, so it is for processes that do one thing. */
export function stepBack(part: keyof typeof PRIORITY): void {
  try {
    if (getPriority() < PRIORITY[part]) setPriority(PRIORITY[part]);
  } catch {
    // A system that forbids it runs the work as it always has.
  }
}
