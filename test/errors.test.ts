import t from "tap";
import { EXIT_CODE, HTTP_STATUS, invalid, PopupError, reasonOf } from "../dist/errors.js";

t.test("every code has an HTTP status and an exit code", async (t) => {
  t.same(Object.keys(EXIT_CODE).sort(), Object.keys(HTTP_STATUS).sort());
  t.match(HTTP_STATUS, { invalid: 400, not_found: 404, method_not_allowed: 405, too_large: 413, unavailable: 503, internal: 500 });
  t.match(EXIT_CODE, { usage: 2, invalid: 2, bad_file: 1, not_found: 1, conflict: 1, unavailable: 1, internal: 1 });
});

t.test("an error carries its field, its remedy and its cause", async (t) => {
  const cause = new Error("below");
  const error = new PopupError("bad_file", "it is broken", { hint: "mend it", field: "file", cause });
  t.match(error, { name: "PopupError", code: "bad_file", message: "it is broken", hint: "mend it", field: "file" });
  t.equal(error.cause, cause);
  t.notOk("cause" in new PopupError("internal", "x"));
  t.match(invalid("title", "is wrong", "right it"), { code: "invalid", message: "title: is wrong", field: "title", hint: "right it" });
});

t.test("the reason of anything thrown", async (t) => {
  t.equal(reasonOf(new Error("e")), "e");
  t.equal(reasonOf("text"), "text");
  t.equal(reasonOf(undefined), "undefined");
});
