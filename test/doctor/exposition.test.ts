import { Counter, Gauge, Registry } from "prom-client";
import t from "tap";
import { Exposition } from "../../dist/doctor/exposition.js";

t.test("reads what prom-client writes", async (t) => {
  const registry = new Registry();
  new Gauge({ name: "plain", help: "a\nhelp text 1", registers: [registry] }).set(1.5e-7);
  const counter = new Counter({ name: "odd_total", help: "x", labelNames: ["of", "result"], registers: [registry] });
  const odd = 'a "quoted", \\ back\nslash} =';
  counter.inc({ of: odd, result: "show" }, 3);
  counter.inc({ of: "b", result: "show" });
  counter.inc({ of: "b", result: "none" }, 5);
  new Gauge({ name: "endless", help: "x", registers: [registry] }).set(Infinity);
  const read = new Exposition(await registry.metrics());
  t.equal(read.sum("plain"), 1.5e-7);
  t.equal(read.sum("endless"), Infinity);
  t.same(read.all("odd_total", { of: odd }), [{ name: "odd_total", labels: { of: odd, result: "show" }, value: 3 }]);
  t.equal(read.sum("odd_total"), 9);
  t.equal(read.sum("odd_total", { result: "show" }), 4);
  t.equal(read.sum("odd_total", { of: "b", result: ["show", "none"] }), 6);
  t.equal(read.sum("odd_total", { of: "c" }), undefined);
  t.equal(read.sum("odd"), undefined);
});

t.test("what is no sample is passed over", async (t) => {
  t.same(new Exposition("# HELP a b\n\n<html>\na 1 1395066363000\nb{} -Inf\nc").samples, [
    { name: "a", labels: {}, value: 1 },
    { name: "b", labels: {}, value: -Infinity },
  ]);
});
