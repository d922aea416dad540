import { Keys } from "../../../dist/redis/keys.js";
import type { Fault } from "../fault.js";

export const poison: Fault = {
  name: "poison",
  title: "entries in the stream that are no events, and kill -9 of the worker among them",
  strike: async ({ redis, serve }, hold) => {
    const { stream } = new Keys();
    await redis.with(async (connection) => {
      for (const fields of [
        ["e", "impression 1"],
        ["x", "y"],
        ["e", "wink 1 ann id-1 1 0 "],
        ["e", "impression 0 ann id-2 1 0 "],
      ])
        await connection.xadd(stream, "*", ...fields);
    });
    await serve.kill("worker");
    await hold();
  },
};
