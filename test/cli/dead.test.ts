import { join } from "node:path";
import Database from "better-sqlite3";
import t from "tap";
import { openStore } from "../../dist/store/store.js";
import { cli } from "../helpers/cli.js";
import { runMany } from "../helpers/cli-many.js";

t.test("dead events are listed, tried again after a fix, and given up", async (t) => {
  const popup = cli(t);
  const path = join(popup.env.POPUP_DATA ?? "", "popup.db");
  const store = openStore(path, { actor: "test" });
  t.teardown(() => store.close());
  const db = new Database(path);
  t.teardown(() => db.close());
  db.exec("CREATE TRIGGER poison BEFORE INSERT ON events WHEN NEW.user_id = 'poison' BEGIN SELECT RAISE(ABORT, 'no such customer'); END");
  const good = { streamId: "1780000000000-0", reason: "once it was full", fields: ["e", "impression 1 u1 i1 1780000000000 0 "] };
  const poison = { streamId: "1780000000000-1#7", reason: "an older reason", fields: ["e", "click 1 poison i1 1780000000000 0 s-1"] };
  const torn = { streamId: "1780000001000-0", reason: "it has not seven parts", fields: ["e", "torn"] };
  store.events.write([], [good, poison, torn]);

  const [list, show, unknown] = await runMany(popup, [
    ["dead", "list"],
    ["dead", "show", poison.streamId, "--json"],
    ["dead", "show", "1-1"],
  ]);
  t.same(list, {
    code: 0,
    stderr: "",
    stdout: [
      "id                 at                   reason",
      "1780000000000-0    2026-05-28 20:26:40  once it was full",
      "1780000000000-1#7  2026-05-28 20:26:40  an older reason",
      "1780000001000-0    2026-05-28 20:26:41  it has not seven parts",
      "times in UTC",
      "",
    ].join("\n"),
  });
  t.same(JSON.parse(show?.stdout ?? ""), { id: poison.streamId, at: "2026-05-28T20:26:40Z", reason: poison.reason, fields: poison.fields });
  t.same(unknown, { code: 1, stdout: "", stderr: 'popup: there is no dead event "1-1"\n  popup dead list shows those there are\n' });

  t.same(await popup(["dead", "retry"]), { code: 1, stdout: "1 event kept\n", stderr: "popup: 2 events could not be kept\n  popup dead list says why\n" });
  t.match(store.events.ofUser("u1"), [{ impressionId: "i1", at: 1780000000000 }]);
  t.same(store.deadEvents.list(), [{ ...poison, reason: "no such customer" }, torn], "with the reason of now");
  db.exec("DROP TRIGGER poison");
  t.same(await popup(["dead", "retry", poison.streamId, "--json"]), { code: 0, stdout: '{"kept":1,"dead":0}\n', stderr: "" });
  t.match(store.events.ofUser("poison"), [{ type: "click", sessionId: "s-1" }]);

  t.match(await popup(["dead", "delete", torn.streamId, "1-1", "--yes"]), { code: 1 });
  t.equal(store.deadEvents.count(), 1, "all or none");
  t.same(await popup(["dead", "delete", torn.streamId, "--yes"]), { code: 0, stdout: "1 dead event deleted\n", stderr: "" });
  t.same(await popup(["dead", "list"]), { code: 0, stdout: "no dead events\n", stderr: "" });
  t.match(
    store.audit.all().map(({ what, subject, before, after }) => [what, subject, before, after]),
    [
      ["dead.retry", `dead:${good.streamId}`, good, null],
      ["dead.retry", `dead:${poison.streamId}`, { fields: poison.fields }, null],
      ["dead.delete", `dead:${torn.streamId}`, torn, null],
    ],
  );
});
