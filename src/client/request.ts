/** Requests that end in time, whatever `fetch` does. Nothing here is from Node or the DOM's types: an app may have neither. */

/** As much of a `Response` as is looked at. */
export interface Reply {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}

/** As much of `fetch` as is used; the browser's and React Native's both fit. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; signal: AbortSignal; body?: string; keepalive?: boolean },
) => Promise<Reply>;

/** A token, or what gets one that is valid now. */
export type Token = string | (() => string | undefined | Promise<string | undefined>);

/** Asks the engine. @param read what is wanted of the answer @param body makes it a POST, which outlives the page @throws Error when it is not there and read within `ms` */
export type Call = <T>(path: string, ms: number, read: (reply: Reply) => T | Promise<T>, body?: string) => Promise<T>;

/** @param base the engine's URL, without a slash at its end */
export function callsTo(base: string, fetch: Fetch, token: Token | undefined): Call {
  return (path, ms, read, body) =>
    within(ms, async (signal) => {
      const bearer = typeof token === "function" ? await token() : token;
      const headers: Record<string, string> = bearer ? { authorization: `Bearer ${bearer}` } : {};
      // Without a content-type of its own the body is text/plain: the engine does not mind, and a browser need not ask beforehand.
      return read(
        await fetch(base + path, body === undefined ? { method: "GET", headers, signal } : { method: "POST", headers, signal, body, keepalive: true }),
      );
    });
}

/** What `work` comes to, if it does within `ms`; it is told to stop then. */
export function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const ending = new AbortController();
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${ms} ms`));
      ending.abort();
    }, ms);
    work(ending.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
