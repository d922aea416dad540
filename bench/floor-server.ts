/**
 * The floor: the least that an answer can cost which needs Redis once. A bare uWebSockets.js route reads
 * the user's id, makes one GET on a key of that user's own, auto-pipelined over the engine's kind of
 * connection, and answers a constant popup. No validation, no deadline, no metrics, no decision.
 */
import { Redis } from "ioredis";
import { loadUws } from "../dist/http/uws.js";
import { floorKey } from "./floor.js";

const { host, port, redisUrl } = JSON.parse(process.argv[2] ?? "{}") as { host: string; port: number; redisUrl: string };
const BODY = JSON.stringify({
  campaign_id: 17,
  title: "Payday cashback 17",
  body: "10% back on groceries this week, up to 50 per day.",
  image_url: "https://bank.example/campaigns/17/popup.png",
  action_url: "bankapp:offers/cashback/17",
  impression_id: "01a208f5-18c6-70b9-acdb-4c73134f402b",
});

const redis = new Redis({ path: redisUrl.slice("unix://".length), enableAutoPipelining: true });
const uws = loadUws();
const app = uws.App();

app.get("/v1/campaigns/popup", (res, req) => {
  let aborted = false;
  res.onAborted(() => {
    aborted = true;
  });
  const userId = req.getQuery("user_id") ?? "";
  redis.get(floorKey(userId)).then(
    () => {
      if (aborted) return;
      res.cork(() => {
        res.writeStatus("200 OK").writeHeader("content-type", "application/json; charset=utf-8").writeHeader("cache-control", "no-store").end(BODY);
      });
    },
    () => {
      // A status that the load generator counts as an error.
      if (!aborted) res.cork(() => res.writeStatus("503 Service Unavailable").end());
    },
  );
});
app.listen(host, port, (token) => {
  if (token) process.send?.("listening");
  else process.exit(1);
});
process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
