/** A request as it goes over the wire, for headers that clients do not send. */
import { connect } from "node:net";
import { checkAnswer } from "./openapi.js";

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * Sends the pieces, each in a write of its own, and reads until the server closes or the answer is complete.
 * Rejects when the answer, if there is one, is not what docs/openapi.yaml says.
 */
export function rawRequest(url: string, pieces: readonly string[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.setNoDelay(true);
      // The next piece leaves when a server in this process has read the one before, which it does between two turns.
      const send = (i: number): void => {
        const piece = pieces[i];
        if (piece !== undefined) socket.write(piece, () => setImmediate(() => setImmediate(send, i + 1)));
      };
      send(0);
    });
    // Bytes, as lengths count them.
    let text = "";
    const finish = (): void => {
      const [head = "", body = ""] = text.split(/\r\n\r\n([\s\S]*)/);
      const answer = { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head: head.toLowerCase(), body: Buffer.from(body, "latin1").toString() };
      try {
        hold(pieces.join(""), answer, head);
        resolve(answer);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      const at = text.indexOf("\r\n\r\n");
      if (at >= 0 && text.length - at - 4 >= Number(length ?? 0)) socket.end();
    });
    socket.once("close", finish);
    socket.once("error", reject);
  });
}

function hold(request: string, { status, body }: RawAnswer, head: string): void {
  const [, method, path] = /^([A-Z]+) (\/\S*) /.exec(request) ?? [];
  if (status === 0 || method === undefined || path === undefined) return;
  const lines = new Map(
    head
      .split("\r\n")
      .slice(1)
      .map((line): [string, string] => [line.split(":")[0]?.toLowerCase() ?? "", line.slice(line.indexOf(":") + 1).trim()]),
  );
  checkAnswer(method, path, { status, headers: { get: (name) => lines.get(name) ?? null }, text: body });
}
