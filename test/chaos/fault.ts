/** A fault: what it takes, and how it strikes while customers come and go. */
import type { Load } from "./client/load.js";
import type { World, WorldPlan } from "./world.js";

export interface Fault {
  /** For `--only`. */
  readonly name: string;
  /** In the table. */
  readonly title: string;
  readonly plan?: WorldPlan;
  /** What the machine must have for it. */
  readonly needs?: "mount" | "faketime";
  /** True when it ends processes that customers are connected to. */
  readonly breaksConnections?: boolean;
  /** True when it ends the API processes and destroys Redis' data at once: nobody is left who knows what was in it. */
  readonly forgets?: boolean;
  /** Logins from two devices at once, share of all; the workload of the reservation. */
  readonly twoDevices?: number;
  /** Breaks something and mends it. @param hold lets the customers go on for a while */
  strike(world: World, hold: () => Promise<void>, load: Load): Promise<void>;
}
