import { spawnSync } from "node:child_process";
import t from "tap";
import { cpuNs, parseCpuLine, parseSchedstat, parseStatTicks } from "../../dist-bench/proc.js";

t.test("schedstat: the first field is the time on a CPU", (t) => {
  t.equal(parseSchedstat("248292264 130153813 201\n"), 248_292_264);
  for (const wrong of ["", "1 2", "a b c", "-1 0 0"]) t.throws(() => parseSchedstat(wrong), /not a schedstat/, wrong);
  t.end();
});

t.test("stat: user and system ticks, whatever the process is called", (t) => {
  const rest = "R 4727 4727 3466 0 -1 4194304 2280 0 0 0 70 3 1 2 20 0 7 0 51874 745975808 10470";
  t.same(parseStatTicks(`4730 (node) ${rest}`), { own: 73, children: 3 });
  t.same(parseStatTicks(`4730 (a (odd) name) ${rest}`), { own: 73, children: 3 });
  t.throws(() => parseStatTicks("4730 (node) R"), /not a stat/);
  t.end();
});

t.test("/proc/stat: idle and waiting for the disk is not busy; a guest's time is in the user's already", (t) => {
  t.same(parseCpuLine("cpu  10 20 30 400 5 6 7 8 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n"), { busy: 81, total: 486 });
  t.end();
});

t.test("the CPU time of a process grows by what it works", { skip: process.platform !== "linux" }, (t) => {
  const before = cpuNs(process.pid);
  const cpu = process.cpuUsage();
  for (let i = 0; i < 5e7; i++) Math.sqrt(i);
  const { user, system } = process.cpuUsage(cpu);
  const grown = (cpuNs(process.pid) - before) / 1e3;
  t.ok(Math.abs(grown - (user + system)) < 0.3 * (user + system) + 20_000, `${grown} µs against ${user + system}`);
  t.throws(() => cpuNs(spawnSync("true").pid), /ENOENT/, "a process that is gone");
  t.end();
});
