import t from "tap";
import { formatCap } from "../../dist/caps.js";
import { refused } from "../helpers/refused.js";
import { testStore } from "../helpers/store.js";

t.test("defaults, normal forms, and the audit log", async (t) => {
  const { store } = testStore(t);
  t.same(store.settings.all(), { timezone: "UTC", userCaps: [], partitions: 1, reserve: 0, streamMax: 2_000_000 });
  t.equal(store.settings.set("timezone", " Asia/Jakarta "), "Asia/Jakarta");
  t.equal(store.settings.set("user_caps", "1/1800s, 3/day,"), "1/30m,3/day");
  t.equal(store.settings.set("partitions", "1"), "1");
  const { timezone, userCaps } = store.settings.all();
  t.same([timezone, userCaps.map(formatCap)], ["Asia/Jakarta", ["1/30m", "3/day"]]);
  t.equal(store.settings.set("user_caps", ""), "", "no policy again");
  t.same(
    store.audit.all().map(({ who, what, subject, before, after }) => [who, what, subject, before, after]),
    [
      ["tester", "settings.set", "setting:timezone", "UTC", "Asia/Jakarta"],
      ["tester", "settings.set", "setting:user_caps", "", "1/30m,3/day"],
      ["tester", "settings.set", "setting:partitions", "1", "1"],
      ["tester", "settings.set", "setting:user_caps", "1/30m,3/day", ""],
    ],
  );
});

t.test("wrong values and unknown names change nothing", async (t) => {
  const { store } = testStore(t);
  refused(t, () => store.settings.set("timezone", "Mars/Phobos"), "timezone", "is not a time zone");
  refused(t, () => store.settings.set("user_caps", "1/day,101/week"), "user_caps", '"101/week" allows 101');
  refused(t, () => store.settings.set("user_caps", "1/day 2/week"), "user_caps", "is not a cap");
  refused(t, () => store.settings.set("reserve", "3601"), "reserve", '"3601" is not a whole number of 0 to 3600');
  refused(t, () => store.settings.set("reserve", "-1"), "reserve", '"-1" is not');
  refused(t, () => store.settings.set("stream_max", "999"), "stream_max", '"999" is not a whole number of 1000 to 4000000000');
  refused(t, () => store.settings.set("partitions", "0"), "partitions", '"0" is not a whole number of 1 to 1024');
  for (const name of ["colour", "__proto__", "toString"]) {
    t.throws(() => store.settings.get(name), {
      code: "not_found",
      message: `"${name}" is not a setting`,
      hint: "settings: timezone, user_caps, reserve, stream_max, audience_versions, approvals, partitions",
    });
    t.throws(() => store.settings.set(name, "1"), { code: "not_found" });
  }
  t.same([store.settings.all(), store.audit.all()], [{ timezone: "UTC", userCaps: [], partitions: 1, reserve: 0, streamMax: 2_000_000 }, []]);
});
