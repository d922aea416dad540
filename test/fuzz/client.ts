/** Plays sessions on sockets of its own. */
import { connect, type Socket } from "node:net";
import { type Answer, Answers, faultOf, faultOfAny, isDegraded, isSpooled, isUnready } from "./answers.js";
import type { Session, Step, Want } from "./session.js";

/** What no request may last, however busy the machine. */
const PATIENCE_MS = 20_000;

export interface Played {
  requests: number;
  answers: Map<number, number>;
  /** `204` where a decision was wanted, and `/readyz` that was not ready. */
  degraded: number;
  /** Reports that went into the spool; those of campaigns that do not exist among them are set aside by the worker. */
  spooled: number;
  /** Texts with what it takes to repeat them. */
  faults: string[];
}

export function nothingPlayed(): Played {
  return { requests: 0, answers: new Map(), degraded: 0, spooled: 0, faults: [] };
}

/** Plays a session and adds what came of it. It does not reject. */
export async function play(port: number, { seed, number, steps }: Session, played: Played): Promise<void> {
  let connection: Connection | undefined;
  let at = "connecting";
  try {
    connection = await Connection.open(port);
    for (const step of steps) {
      at = step.name;
      played.requests += step.wants?.length ?? 1;
      await connection.play(step, (answer) => {
        played.answers.set(answer.status, (played.answers.get(answer.status) ?? 0) + 1);
        if (isDegraded(answer) || isUnready(answer)) played.degraded++;
        if (isSpooled(answer)) played.spooled++;
      });
    }
  } catch (error) {
    played.faults.push(`--seed ${seed} --session ${number}, ${JSON.stringify(at.slice(0, 200))}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await connection?.leave();
  }
}

export class Connection {
  readonly #answers = new Answers();
  #closed = false;
  #failure: string | undefined;
  #wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#answers.take(chunk);
      this.#wake();
    });
    // A server that closes while something is still being sent to it shows as a reset; what counts is which answers came.
    socket.on("error", (error: NodeJS.ErrnoException) => (this.#failure = error.code));
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  /** @throws Error that says what is wrong with what came back */
  async play({ writes, wants, ending }: Step, onAnswer: (answer: Answer) => void): Promise<void> {
    for (const [i, piece] of writes.entries()) {
      // The server shall read them apart.
      if (i > 0) await new Promise((resolve) => setImmediate(resolve));
      if (!this.#closed) this.socket.write(piece);
    }
    for (const want of wants ?? []) {
      const answer = await this.#next(want);
      onAnswer(answer);
      const fault = faultOf(answer, want);
      if (fault !== undefined) throw new Error(fault);
    }
    if (ending === "reset") {
      this.socket.resetAndDestroy();
      await this.#untilClosed();
      return;
    }
    if (ending === "fin") this.socket.end();
    if (ending !== "stay") await this.#untilClosed();
    if (wants === undefined) this.#judgeRest(onAnswer);
    else if (this.#answers.rest !== "") throw new Error(`more than was asked for: ${JSON.stringify(this.#answers.rest.slice(0, 200))}`);
  }

  /** Closes it, if it is not; resolves when it is. */
  async leave(): Promise<void> {
    this.socket.destroy();
    await this.#untilClosed();
  }

  async #next(want: Want): Promise<Answer> {
    const bodyless = want.kind === "problem" && want.bodyless === true;
    let answer = this.#answers.next(bodyless);
    await this.#until("no answer", () => (answer ??= this.#answers.next(bodyless)) !== undefined || this.#closed);
    if (answer === undefined) throw new Error(`closed (${this.#failure ?? "in good order"}) instead of an answer (${JSON.stringify(want)})`);
    return answer;
  }

  /** Answers to what nobody can say what it is. */
  #judgeRest(onAnswer: (answer: Answer) => void): void {
    for (let answer = this.#answers.next("perhaps"); answer !== undefined; answer = this.#answers.next("perhaps")) {
      onAnswer(answer);
      const fault = faultOfAny(answer);
      if (fault !== undefined) throw new Error(fault);
    }
    if (this.#answers.rest !== "") throw new Error(`half an answer: ${JSON.stringify(this.#answers.rest.slice(0, 200))}`);
  }

  #untilClosed(): Promise<void> {
    return this.#until("the connection was not closed", () => this.#closed);
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const deadline = setTimeout(() => {
      late = true;
      this.#wake();
    }, PATIENCE_MS);
    let late = false;
    try {
      while (!condition()) {
        if (late) throw new Error(`${what} in ${PATIENCE_MS / 1_000} s`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(deadline);
    }
  }
}
