/** The Kafka client, a package that is installed by those who need it: it compiles, or downloads, a library of some megabytes. */
import { createRequire } from "node:module";
import { PopupError, reasonOf } from "../errors.js";

/** Name and version as package.json has them among the peer dependencies. */
const KAFKA_PACKAGE = "@confluentinc/kafka-javascript";
const INSTALL = `npm install ${KAFKA_PACKAGE}@1`;

/** What is used of it, in its own words: the types of the package are not there where it is not. */
export interface KafkaError {
  readonly message: string;
  readonly code: number;
}
type Done = (error: KafkaError | null | undefined) => void;

interface Client {
  connect(options: { readonly timeout: number }, done: Done): unknown;
  disconnect(timeoutMs: number, done: () => void): unknown;
  disconnect(done: () => void): unknown;
  getMetadata(options: { readonly timeout: number }, done: (error: KafkaError | null, metadata: KafkaMetadata) => void): unknown;
  on(event: "event.error", listener: (error: KafkaError) => void): unknown;
}

export interface KafkaMetadata {
  readonly brokers: readonly { readonly host: string; readonly port: number }[];
}

export type KafkaHeaders = readonly Readonly<Record<string, string | Buffer>>[];

export interface KafkaProducer extends Client {
  produce(topic: string, partition: null, value: Buffer, key: string | null, timestamp: null, opaque: unknown, headers: KafkaHeaders): unknown;
  setPollInBackground(on: boolean): void;
  on(event: "event.error", listener: (error: KafkaError) => void): unknown;
  on(event: "delivery-report", listener: (error: KafkaError | null, report: { readonly opaque?: unknown }) => void): unknown;
}

export interface KafkaPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface KafkaMessage extends KafkaPlace {
  readonly value: Buffer | null;
  readonly timestamp?: number;
  readonly headers?: KafkaHeaders;
}

export interface KafkaConsumer extends Client {
  subscribe(topics: readonly string[]): unknown;
  setDefaultConsumeTimeout(ms: number): void;
  setDefaultIsTimeoutOnlyForFirstMessage(on: boolean): void;
  consume(most: number, done: (error: KafkaError | null, messages: readonly KafkaMessage[]) => void): void;
  commit(places: readonly KafkaPlace[]): unknown;
  on(event: "event.error", listener: (error: KafkaError) => void): unknown;
  on(event: "rebalance", listener: () => void): unknown;
  on(event: "offset.commit", listener: (error: KafkaError | null | undefined) => void): unknown;
}

type Properties = Readonly<Record<string, string | number | boolean>>;

interface KafkaPackage {
  readonly Producer: new (properties: Properties) => KafkaProducer;
  readonly KafkaConsumer: new (properties: Properties, topicProperties: Properties) => KafkaConsumer;
}

/**
 * @param name of the package
 * @throws PopupError `unavailable` when it is not installed, or not for this machine
 */
export function loadKafka(name: string = KAFKA_PACKAGE): KafkaPackage {
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)(name);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND" && reasonOf(error).includes(`'${name}'`);
    throw new PopupError("unavailable", missing ? `kafka: the package ${name} is not installed` : `kafka: ${name} cannot be loaded: ${firstLine(error)}`, {
      hint: missing ? INSTALL : `where no ready-made build can be downloaded it has to be compiled: docs/operations.md, Kafka; then ${INSTALL}`,
      cause: error,
    });
  }
  return loaded as KafkaPackage;
}

const firstLine = (error: unknown): string => reasonOf(error).split("\n")[0] ?? "";
