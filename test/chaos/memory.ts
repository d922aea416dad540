/** Resident memory of the engine's processes while a fault lasts. */
import { ROLES, type Role, residentBytes } from "./proc.js";

const EVERY_MS = 250;

export class MemoryWatch {
  readonly #timer: NodeJS.Timeout;
  #peak = 0;

  /** @param pids of a part, now */
  constructor(private readonly pids: (role: Role) => readonly number[]) {
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** All processes together now, bytes. */
  now(): number {
    return ROLES.flatMap((role) => this.pids(role)).reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  /** The most at any time since the last call, bytes. */
  takePeak(): number {
    const peak = Math.max(this.#peak, this.now());
    this.#peak = 0;
    return peak;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, this.now());
  }
}
