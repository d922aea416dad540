/**
 * RabbitMQ: events go to a durable topic exchange under `impression.7` (type and campaign), and from there to a quorum queue of the
 * engine's own, and to whatever others bind to it.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { type AsyncMessage, type Channel, Connection } from "rabbitmq-client";
import { type Delivered, marksIn, type QueueMessage, READ_TO_HEADER, readToText } from "./message.js";
import type { Sender } from "./queue-sink.js";
import type { Receiver } from "./receiver.js";
import type { AmqpSettings } from "./settings.js";

/** A broker that does not answer is asked again, by a connection of its own: how long one attempt may take, ms. */
const CONNECT_MS = 5_000;

/** How long messages are gathered for one commit, ms. */
const GATHER_MS = 50;

/** Both ends declare the same, so it does not matter which is first. */
const topology = ({ exchange, queue }: AmqpSettings) => ({
  exchanges: [{ exchange, type: "topic", durable: true }],
  queues: [{ queue, durable: true, arguments: { "x-queue-type": "quorum" as const } }],
  queueBindings: [{ exchange, queue, routingKey: "#" }],
});

/** Connects. @throws when the broker is not there, or refuses */
export async function openRabbitSender(settings: AmqpSettings): Promise<Sender> {
  const connection = await connect(settings, "popup worker");
  let blocked: string | undefined;
  let lost: string | undefined;
  connection.on("error", (error: Error) => (lost = error.message));
  connection.on("connection", () => (lost = undefined));
  connection.on("connection.blocked", (reason) => (blocked = reason));
  connection.on("connection.unblocked", () => (blocked = undefined));
  // A channel of its own; made again by the library when the connection was lost in between.
  const publisher = connection.createPublisher({ confirm: true, ...topology(settings) });
  let returned = 0;
  publisher.on("basic.return", () => returned++);
  return {
    get complaint() {
      return blocked === undefined ? lost : `it is blocked: ${blocked}`;
    },
    send: async (messages, marks) => {
      returned = 0;
      const headersOf = (place: number): Record<string, string> => (place === messages.length - 1 ? { [READ_TO_HEADER]: readToText(marks) } : {});
      await Promise.all(messages.map((message, place) => publisher.send(envelope(settings, message, headersOf(place)), Buffer.from(message.text))));
      // What it returned it has said before it confirmed; the library tells of it a turn later.
      await turn();
      if (returned > 0) throw new Error(`no queue is bound to the exchange ${settings.exchange} for ${returned} of the events`);
    },
    close: async () => connection.unsafeDestroy(),
  };
}

function envelope({ exchange }: AmqpSettings, { id, route }: QueueMessage, headers: Readonly<Record<string, string>>) {
  return {
    exchange,
    routingKey: route,
    messageId: id,
    headers,
    contentType: "application/json",
    contentEncoding: "utf-8",
    durable: true,
    // Without a queue to go to a message would be confirmed and thrown away.
    mandatory: true,
  };
}

/** Connects, and has messages sent to it from now on, `most` at a time. @throws when the broker is not there, or refuses */
export async function openRabbitReceiver(settings: AmqpSettings, most: number): Promise<Receiver> {
  const connection = await connect(settings, "popup consume");
  const received: AsyncMessage[] = [];
  let arrived = (): void => undefined;
  let channel: Channel;
  try {
    channel = await connection.acquire();
    const { exchanges, queues, queueBindings } = topology(settings);
    for (const exchange of exchanges) await channel.exchangeDeclare(exchange);
    for (const queue of queues) await channel.queueDeclare(queue);
    for (const binding of queueBindings) await channel.queueBind(binding);
    await channel.basicQos({ prefetchCount: most });
    await channel.basicConsume({ queue: settings.queue }, (message) => {
      received.push(message);
      arrived();
    });
  } catch (error) {
    connection.unsafeDestroy();
    throw error;
  }
  let lost: Error | undefined;
  const onLost = (reason: string): void => {
    lost ??= new Error(reason);
    arrived();
  };
  channel.once("close", () => onLost("the connection was lost"));
  channel.once("basic.cancel", () => onLost(`the queue ${settings.queue} was deleted`));
  /** Waits until so much has arrived, the connection is lost, or the time is over. */
  const until = async (enough: () => boolean, ms: number): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      arrived = () => {
        if (enough() || lost !== undefined) resolve();
      };
      timer = setTimeout(resolve, ms);
      arrived();
    });
    clearTimeout(timer);
  };
  return {
    read: async (waitMs) => {
      await until(() => received.length > 0, waitMs);
      // They come one by one, and a commit of many takes as long as one of a single one.
      if (received.length > 0) await until(() => received.length >= most, GATHER_MS);
      // What it has not acknowledged the broker gives to whoever comes next.
      if (lost) throw lost;
      const taken = received.splice(0);
      const last = taken.at(-1);
      return {
        messages: taken.map(deliveredOf),
        acknowledge: async () => {
          if (lost) throw lost;
          if (last) channel.basicAck({ deliveryTag: last.deliveryTag, multiple: true });
        },
      };
    },
    close: async () => {
      // The channel first: what was acknowledged is on its way, and goes before its end.
      if (lost === undefined) await Promise.race([channel.close(), once(connection, "error")]).catch(() => undefined);
      connection.unsafeDestroy();
    },
  };
}

async function connect({ url }: AmqpSettings, connectionName: string): Promise<Connection> {
  const connection = new Connection({ url, connectionName, connectionTimeout: CONNECT_MS, acquireTimeout: CONNECT_MS });
  try {
    await once(connection, "connection");
  } catch (error) {
    connection.unsafeDestroy();
    throw error;
  }
  // From now on who uses it is told by what fails.
  connection.on("error", () => undefined);
  return connection;
}

function deliveredOf({ body, headers, messageId, timestamp }: AsyncMessage): Delivered {
  const text = typeof body === "string" ? body : Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);
  const digest = createHash("sha256")
    .update(`${messageId ?? ""} ${text}`)
    .digest("hex")
    .slice(0, 16);
  return { asideId: `${(timestamp ?? 0) * 1_000}-${digest}`, text, marks: marksIn(headers?.[READ_TO_HEADER]) };
}
