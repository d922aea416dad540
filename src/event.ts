/** What the engine counts and records: one event per accepted report, as it travels stream → worker → sink. */
export const EVENT_TYPES = ["impression", "click", "dismiss"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface PopupEvent {
  readonly type: EventType;
  readonly campaignId: number;
  readonly userId: string;
  /** The app's name for the showing; (userId, type, impressionId) is counted once. */
  readonly impressionId: string;
  /** Epoch ms by the clock of the API process that took the report. */
  readonly at: number;
  /** True for an impression that came when a cap left no room: recorded, not counted. */
  readonly overCap: boolean;
  readonly sessionId: string | null;
}
