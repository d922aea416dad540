/** The process of a Kafka cluster that librdkafka plays, over the real protocol: `node dist-bench/queues/kafka-process.js BROKERS`. Tells its addresses to who started it. */
import { loadKafka } from "../../dist/queue/kafka-client.js";

const { Producer } = loadKafka();
const cluster = new Producer({ "bootstrap.servers": "none:1", "test.mock.num.brokers": Number(process.argv[2] ?? "1") });
cluster.connect({ timeout: 30_000 }, (error) => {
  if (error) throw new Error(error.message);
  cluster.getMetadata({ timeout: 30_000 }, (failure, { brokers }) => {
    if (failure) throw new Error(failure.message);
    process.send?.(brokers.map(({ host, port }) => `${host}:${port}`).join(","));
  });
});
process.once("disconnect", () => process.exit(0));
