/** What became of a request: the kinds that a load test counts apart. */

export const KINDS = ["get", "post"] as const;
export type Kind = (typeof KINDS)[number];

/** An answer as autocannon hands it over. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

/** A popup that was shown, for the report about it. */
export interface Shown {
  readonly userId: string;
  readonly campaignId: number;
  readonly impressionId: string;
}

/** The names that a report always has, in the order of tables; `degraded_…` and `error_…` join as they come. */
export const OUTCOMES: Record<Kind, readonly string[]> = {
  get: ["popup", "none", "other"],
  post: ["counted", "duplicate", "capped", "spooled", "other"],
};

export const isError = (outcome: string): boolean => outcome.startsWith("error_");
export const isDegraded = (outcome: string): boolean => outcome.startsWith("degraded_");
/** No answer came: the connection was refused or lost. */
export const CONNECTION_ERROR = "error_connection";
export const TIMEOUT_ERROR = "error_timeout";

/** The outcome of a GET, and its popup where it has one. */
export function readDecision(userId: string, { status, body, header }: Answer): { outcome: string; shown?: Shown } {
  if (status === 204) {
    const cause = header("popup-degraded");
    return { outcome: cause === undefined ? "none" : `degraded_${cause}` };
  }
  if (status !== 200) return { outcome: otherStatus(status) };
  const { campaign_id: campaignId, impression_id: impressionId } = fieldsOf(body);
  if (typeof campaignId !== "number" || typeof impressionId !== "string") return { outcome: "other" };
  return { outcome: "popup", shown: { userId, campaignId, impressionId } };
}

/** The outcome of a POST. */
export function readReceipt({ status, body }: Answer): string {
  if (status !== 202) return otherStatus(status);
  const { counted, reason, spooled } = fieldsOf(body);
  if (counted === true) return "counted";
  if (spooled === true) return "spooled";
  return reason === "duplicate" || reason === "capped" ? reason : "other";
}

function otherStatus(status: number): string {
  return status >= 200 && status < 300 ? "other" : `error_${status}`;
}

function fieldsOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
