/** The reading end of a queue. */
import type { Delivered } from "./message.js";

/** Messages that were taken out together. */
export interface Taken {
  readonly messages: readonly Delivered[];
  /** Says that they are kept; without it they come again. @throws when the broker cannot be told */
  acknowledge(): Promise<void>;
}

/** One connection to a broker. */
export interface Receiver {
  /**
   * What is there, at most as many as were asked for when it was opened.
   * @param waitMs how long to wait for the first; without one there are none
   * @throws when the connection is lost: it is of no use any more then
   */
  read(waitMs: number): Promise<Taken>;
  close(): Promise<void>;
}
