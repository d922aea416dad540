/** An HTTP server in place of an engine, whose every answer the test decides. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Test } from "tap";

/** Listens until the test's teardown; healthz and readyz are well. @param answer everything else */
export async function fakeEngine(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    if (request.url === "/healthz" || request.url === "/readyz") response.end('{"ok":true,"ready":true}');
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export const nothing = (response: ServerResponse): void => void response.writeHead(204).end();
