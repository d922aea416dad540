/** The bytes of a file that is to be loaded: from the disk or standard input, compressed by gzip or not, with their checksum. */
import { createHash } from "node:crypto";
import type { ReadStream, Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { PopupError, reasonOf } from "../errors.js";

const PIECE_BYTES = 1_048_576;
const [GZIP_1, GZIP_2] = [0x1f, 0x8b];

export class Input {
  /** As messages name it. */
  readonly name: string;
  readonly #hash = createHash("sha256");
  #read = 0;
  #zipped = false;

  /** @param path of a file, or `-` for standard input @param size of a regular file, bytes */
  private constructor(
    readonly path: string,
    private readonly stream: NodeJS.ReadableStream,
    private readonly before: Stats | undefined,
  ) {
    this.name = shownName(path);
  }

  /** @throws PopupError `bad_file` */
  static async open(path: string): Promise<Input> {
    if (path === "-") return new Input(path, process.stdin, undefined);
    try {
      const handle = await open(path);
      const stats = await handle.stat();
      if (stats.isDirectory()) {
        await handle.close();
        throw new PopupError("bad_file", `${shownName(path)} is a folder`, { hint: "name a CSV file" });
      }
      return new Input(path, handle.createReadStream({ highWaterMark: PIECE_BYTES }), stats.isFile() ? stats : undefined);
    } catch (error) {
      throw error instanceof PopupError ? error : notReadable(shownName(path), error);
    }
  }

  /** Bytes of the file as it lies there, where that is known. */
  get size(): number | undefined {
    return this.before?.size;
  }

  /** Bytes that were read of the file so far. */
  get bytesRead(): number {
    return this.#read;
  }

  /** Of what was read, compressed or not. Call it once, at the end. */
  sha256(): string {
    return this.#hash.digest("hex");
  }

  /**
   * What is in the file, decompressed, piece by piece.
   * @throws PopupError `bad_file` when it cannot be read, is no whole gzip, or changed while it was read
   */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const raw = this.#raw();
    const first = await raw.next();
    if (first.done === true) return;
    let head: Uint8Array = first.value;
    // What comes through a pipe may come byte by byte.
    for (let more = head.length < 2 ? await raw.next() : first; head.length < 2 && more.done !== true; more = await raw.next())
      head = Buffer.concat([head, more.value]);
    this.#zipped = head[0] === GZIP_1 && head[1] === GZIP_2;
    for await (const piece of this.#zipped ? this.#unzipped(head, raw) : startingWith(head, raw)) {
      yield piece;
    }
    await this.#checkUnchanged();
  }

  /** Gives the file back, wherever reading it has come to. */
  close(): void {
    if (this.path !== "-") (this.stream as ReadStream).destroy();
  }

  async *#raw(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of this.stream as AsyncIterable<Buffer>) {
        this.#read += piece.length;
        this.#hash.update(piece);
        yield piece;
      }
    } catch (error) {
      throw notReadable(this.name, error);
    }
  }

  async *#unzipped(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
    // Its failure comes out of the loop below; here it only must not be lost sight of.
    const fed = pipeline(Readable.from(startingWith(first, rest), { objectMode: false }), gunzip).catch(() => undefined);
    try {
      for await (const piece of gunzip as AsyncIterable<Buffer>) yield piece;
    } catch (error) {
      if (error instanceof PopupError) throw error;
      throw new PopupError("bad_file", `${this.name} is no whole gzip: ${reasonOf(error)}`, {
        hint: "nothing was loaded; it ends early or is damaged: copy it again",
        cause: error,
      });
    }
    await fed;
  }

  async #checkUnchanged(): Promise<void> {
    if (!this.before) return;
    const now = await stat(this.path).catch(() => undefined);
    if (now?.ino === this.before.ino && now.size === this.before.size && now.mtimeMs === this.before.mtimeMs && (this.#zipped || this.#read === now.size))
      return;
    throw new PopupError("bad_file", `${this.name} changed while it was read`, {
      hint: "nothing was loaded; wait until whoever writes it is done, and load it again",
    });
  }
}

async function* startingWith<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield first;
    yield* rest;
  } finally {
    // Whoever stops at the first piece gives back what is behind it too: standard input would keep the process alive.
    await rest.return(undefined);
  }
}

const shownName = (path: string): string => (path === "-" ? "standard input" : basename(path));

function notReadable(name: string, error: unknown): PopupError {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return new PopupError("bad_file", `${name} does not exist`, { hint: "check the path" });
  return new PopupError("bad_file", `${name} cannot be read: ${reasonOf(error)}`, { hint: "check the path and its permissions", cause: error });
}
