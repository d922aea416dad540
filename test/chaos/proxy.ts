/** A TCP proxy that makes the network between engine and Redis as bad as asked: slow, stalled, cut, or a hole. */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Random } from "../helpers/random.js";

export interface Weather {
  /** Added to every piece of data in each direction, ms, at random between the two. */
  readonly delayMs?: readonly [least: number, most: number];
  /** Nothing is delivered; what is held back comes later, in order. */
  readonly stalled?: boolean;
  /** What is sent vanishes, and new connections get no answer. */
  readonly hole?: boolean;
  /** Of a reply, the share of cases in which its first half is delivered and the connection cut. */
  readonly cut?: number;
}

export class Proxy {
  readonly #links = new Set<Link>();
  #weather: Weather = {};

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param random decides delays and cuts */
  static async open(targetPort: number, random: Random): Promise<Proxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
    const proxy = new Proxy(server, address.port);
    server.on("connection", (socket) => {
      const link = new Link(socket, connect({ port: targetPort, host: "127.0.0.1", noDelay: true }), () => proxy.#weather, random);
      proxy.#links.add(link);
      socket.once("close", () => proxy.#links.delete(link));
    });
    return proxy;
  }

  /** From now on; the default is a good network. */
  set(weather: Weather = {}): void {
    const wasHole = this.#weather.hole === true;
    this.#weather = weather;
    for (const link of this.#links) {
      // Some bytes of its conversation are missing: it cannot go on.
      if (wasHole && weather.hole !== true && link.damaged) link.cut();
      else link.flush();
    }
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** More than this in one direction, and the sender is not read any further. */
const MOST_HELD_BYTES = 1_048_576;

class Link {
  damaged = false;
  readonly #pipes: readonly Pipe[];

  constructor(
    private readonly near: Socket,
    private readonly far: Socket,
    weather: () => Weather,
    random: Random,
  ) {
    this.#pipes = [
      new Pipe(near, far, () => this.#fate(weather(), false, random), weather, random),
      new Pipe(far, near, () => this.#fate(weather(), true, random), weather, random),
    ];
    for (const socket of [near, far]) {
      socket.on("error", () => this.cut());
      socket.on("close", () => this.cut());
    }
  }

  /** What becomes of a piece of data. */
  #fate({ hole, cut = 0 }: Weather, reply: boolean, random: Random): "deliver" | "vanish" | "half" {
    if (hole === true) {
      this.damaged = true;
      return "vanish";
    }
    return reply && random.chance(cut) ? "half" : "deliver";
  }

  flush(): void {
    for (const pipe of this.#pipes) pipe.flush();
  }

  cut(): void {
    this.near.destroy();
    this.far.destroy();
  }
}

class Pipe {
  readonly #held: { readonly data: Buffer; readonly due: number; readonly last: boolean }[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    fate: () => "deliver" | "vanish" | "half",
    private readonly weather: () => Weather,
    random: Random,
  ) {
    from.on("data", (data: Buffer) => {
      const becomes = fate();
      if (becomes === "vanish") return;
      const [least, most] = weather().delayMs ?? [0, 0];
      // In order: nothing overtakes what was sent before it.
      const due = Math.max(this.#held.at(-1)?.due ?? 0, performance.now() + least + (most - least) * random.next());
      this.#held.push({ data: becomes === "half" ? data.subarray(0, Math.ceil(data.length / 2)) : data, due, last: becomes === "half" });
      this.#bytes += data.length;
      if (this.#bytes > MOST_HELD_BYTES) from.pause();
      this.flush();
    });
  }

  /** Delivers what is due. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.weather().stalled === true) return;
    for (let next = this.#held[0]; next; next = this.#held[0]) {
      const wait = next.due - performance.now();
      if (wait > 0.5) {
        this.#timer = setTimeout(() => this.flush(), wait);
        return;
      }
      this.#held.shift();
      this.#bytes -= next.data.length;
      if (next.last) {
        this.to.end(next.data, () => this.from.destroy());
        return;
      }
      this.to.write(next.data);
    }
    if (this.from.isPaused()) this.from.resume();
  }
}
