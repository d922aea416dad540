import type { Fault } from "../fault.js";

const PASSWORD = "changed";

export const wrongPassword: Fault = {
  name: "wrong-password",
  title: "Redis' password changed and every connection closed, then changed back",
  strike: async ({ redis }, hold) => {
    await redis.with(async (connection) => {
      await connection.config("SET", "requirepass", PASSWORD);
      // Those that are connected already stay as trusted as they were.
      await connection.call("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES");
    });
    await hold();
    await redis.with((connection) => connection.config("SET", "requirepass", ""), PASSWORD);
  },
};
