/** A campaign as the demo page shows it, on a server of its own: no engine, no Redis, and nothing that counts. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Campaign } from "../campaign.js";
import { PopupError } from "../errors.js";
import { demoFiles, type PageFile, POLICY } from "../http/demo-page.js";

export interface PreviewServer {
  /** Of the page. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page on a free port of 127.0.0.1.
 * @throws PopupError `unavailable` when there is none
 */
export async function servePreview(campaign: Campaign): Promise<PreviewServer> {
  const files = new Map(demoFiles().map((file) => [file.path, file.path === "/demo" ? previewing(file, campaign) : file]));
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? "");
    if (request.method !== "GET" || file === undefined) {
      response.writeHead(404, { "content-type": "text/plain" }).end("only GET /demo is here: a preview asks no engine\n");
      return;
    }
    response.writeHead(200, {
      "content-type": file.type,
      "cache-control": "no-store",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    response.end(file.text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new PopupError("unavailable", `no port of 127.0.0.1 can be had: ${cause.message}`, { hint: "end some of what listens on this machine", cause })),
    );
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/demo`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The page with the campaign in it, as data that no browser runs, and the script that opens it. */
function previewing(page: PageFile, { id, title, body, image_url, action_url, status }: Campaign): PageFile {
  // Whatever a title says, it cannot end the element that it stands in.
  const data = JSON.stringify({ campaign_id: id, title, body, image_url, action_url, status }).replaceAll("<", "\\u003c");
  const added = `<script type="application/json" id="previewed">${data}</script>\n<script type="module" src="/demo/preview.js"></script>\n</head>`;
  // A function: in a text as the replacement `$&` and the like would mean something.
  return { ...page, text: page.text.replace("</head>", () => added) };
}
