/**
 * The engine's client for apps, in a browser or React Native: asks for the popup, and reports what became of it.
 * It never throws into the app and never makes it wait. docs/client.md shows it in use.
 */
import { openDelivery } from "./delivery.js";
import { type AppStorage, openQueue } from "./queue.js";
import { callsTo, type Fetch, type Reply, type Token, within } from "./request.js";

export type { AppStorage } from "./queue.js";
export type { Fetch, Reply, Token } from "./request.js";

/** The engine's answer as it comes: docs/http.md. */
export interface Popup {
  readonly campaign_id: number;
  readonly title: string;
  readonly body: string | null;
  readonly image_url: string;
  /** `https:`, or a deep link of the app. */
  readonly action_url: string;
  /** Names this showing: what is reported under it counts once. */
  readonly impression_id: string;
}

export interface PopupClientOptions {
  /** The engine, such as `https://popup.bank.example`. */
  readonly baseUrl: string;
  readonly userId: string | number;
  /** For an engine with `--auth`: a token, or a function that gives one that is valid now. */
  readonly token?: Token | undefined;
  /** The login session, for caps per session: 1 to 64 characters of `A-Z a-z 0-9 . _ -`. */
  readonly sessionId?: string | undefined;
  /** A decision that is not there by then is none, ms; 800. */
  readonly timeout?: number | undefined;
  /** For how long a prefetched popup is good, ms; 30,000. */
  readonly maxAge?: number | undefined;
  /** In place of the global one. */
  readonly fetch?: Fetch | undefined;
  /** Where reports wait; localStorage where there is one, otherwise memory. React Native: AsyncStorage. */
  readonly storage?: AppStorage | undefined;
  /** Told of what goes wrong; nothing has to be done about it. */
  readonly onError?: ((error: Error) => void) | undefined;
}

export interface PopupClient {
  /** Asks now, so that the next `getPopup` finds the answer. Never rejects. */
  prefetch(): Promise<void>;
  /** The popup to show, or null; within `timeout`. Never rejects. Calls at the same time get the same one. */
  getPopup(): Promise<Popup | null>;
  shown(popup: Popup): void;
  clicked(popup: Popup): void;
  dismissed(popup: Popup): void;
  /** Sends what waits, for instance when a React Native app goes to the background. Resolves when it has tried. */
  flush(): Promise<void>;
  /** After a logout: no timers and listeners any more. What waits is sent by the user's next client. */
  close(): void;
}

/** @returns undefined when the engine could not decide @throws Error for what is none of its answers */
async function popupIn(reply: Reply): Promise<Popup | null | undefined> {
  if (reply.status === 204) return reply.headers.get("popup-degraded") === null ? null : undefined;
  if (reply.status !== 200) throw new Error(`GET popup: status ${reply.status}`);
  const popup = (await reply.json()) as Popup | null;
  if (typeof popup?.campaign_id !== "number" || typeof popup.impression_id !== "string") throw new Error("GET popup: the answer is no popup");
  return popup;
}

/** What a browser has and other places may not. */
interface Host {
  readonly localStorage?: AppStorage;
  readonly fetch?: unknown;
  readonly navigator?: { sendBeacon?(url: string, body: string): boolean };
  readonly document?: Listens & { readonly visibilityState: string };
}
interface Listens {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

const host = globalThis as unknown as Host & Listens;

/** Never throws; options that are wrong are told to `onError` with the first request. */
export function createPopupClient(options: PopupClientOptions): PopupClient {
  const { userId, sessionId, token, timeout = 800, maxAge = 30_000 } = options;
  const base = String(options.baseUrl).replace(/\/+$/, "");
  const fail = (error: unknown): void => {
    try {
      options.onError?.(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // The app's own handler fails: there is nobody else to tell.
    }
  };
  const call = callsTo(base, options.fetch ?? ((url, init) => (host.fetch as Fetch)(url, init)), token);
  const queue = openQueue(options.storage ?? localStorageOr(memory()), `popup-engine ${base} ${userId}`, fail);
  const { navigator } = host;
  // A beacon has no place for a token.
  const beacon =
    token === undefined && navigator?.sendBeacon
      ? ([path, body]: readonly [string, string]): boolean => navigator.sendBeacon?.(base + path, body) === true
      : undefined;
  const delivery = openDelivery(queue, call, beacon, fail);

  /** Undefined when there was no decision. */
  let asking: Promise<Popup | null | undefined> | undefined;
  let kept: { readonly popup: Popup | null; readonly at: number } | undefined;
  /** Whether the answer that is awaited is somebody's. */
  let taken = false;
  let reported = 0;

  const decision = async (): Promise<Popup | null | undefined> => {
    try {
      return await within(timeout, async () => {
        // What was reported is to count before the next popup is decided; but a slow report is not to cost it.
        await within(timeout / 2, async () => delivery.sending).catch(() => undefined);
        const session = sessionId === undefined ? "" : `&session_id=${encodeURIComponent(sessionId)}`;
        return call(`/v1/campaigns/popup?user_id=${encodeURIComponent(userId)}${session}`, timeout, popupIn);
      });
    } catch (error) {
      fail(error);
      return undefined;
    }
  };
  const ask = (): Promise<Popup | null | undefined> => {
    if (asking) return asking;
    taken = false;
    const before = reported;
    return (asking = decision().then((popup) => {
      asking = undefined;
      // What was decided before a report may be closed by it.
      if (popup !== undefined && !taken && before === reported) kept = { popup, at: Date.now() };
      return popup;
    }));
  };
  const fresh = (): boolean => kept !== undefined && Math.abs(Date.now() - kept.at) < maxAge;
  const report =
    (type: string) =>
    (popup: Popup): void => {
      try {
        reported++;
        kept = undefined;
        delivery.add([
          `/v1/campaigns/${popup.campaign_id}/${type}`,
          JSON.stringify({ user_id: userId, impression_id: popup.impression_id, session_id: sessionId }),
        ]);
      } catch (error) {
        fail(error);
      }
    };

  const { document } = host;
  const online = (): void => void delivery.flush();
  const hidden = (): void => {
    if (document?.visibilityState === "hidden") delivery.leave();
  };
  const listeners: readonly (readonly [Listens | undefined, string, () => void])[] = [
    [host, "online", online],
    [host, "pagehide", delivery.leave],
    [document, "visibilitychange", hidden],
  ];
  for (const [on, type, listener] of listeners) on?.addEventListener?.(type, listener);

  return {
    prefetch: async () => {
      if (!fresh()) await ask();
    },
    getPopup: async () => {
      const at = fresh() ? kept : undefined;
      kept = undefined;
      if (at) return at.popup;
      const answer = ask();
      taken = true;
      return (await answer) ?? null;
    },
    shown: report("impression"),
    clicked: report("click"),
    dismissed: report("dismiss"),
    flush: delivery.flush,
    close: () => {
      delivery.close();
      for (const [on, type, listener] of listeners) on?.removeEventListener?.(type, listener);
    },
  };
}

/** Where storage is blocked, the mere look at it throws. */
function localStorageOr(other: AppStorage): AppStorage {
  try {
    return host.localStorage ?? other;
  } catch {
    return other;
  }
}

function memory(): AppStorage {
  const items = new Map<string, string>();
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value), removeItem: (key) => items.delete(key) };
}
