/** `npm run soak`: an engine under half of what it can do, for ten minutes; does its memory stay where it is? Writes its section of the results. */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { Redis } from "ioredis";
import { readMetric } from "../chaos/metrics.js";
import { provenance, writeSection } from "../chaos/results.js";
import { runBench } from "./bench.js";
import { openEngine } from "./engine.js";
import { Samples } from "./samples.js";
import { soakSection } from "./section.js";

/** A collection of all garbage holds a process up for some ms. */
const SAMPLES_PER_COLLECTION = 2;

const program = new Command("soak")
  .description("puts an engine under half of its saturation and watches the memory and files of its processes")
  .option("--seconds <s>", "how long", "600")
  .option("--fill-seconds <s>", "the same load before that, until every cache is full", "300")
  .option("--saturation-seconds <s>", "how long to look for the saturation", "20")
  .option("--rate <n>", "requests/s, instead of half of the saturation")
  .option("--every <s>", "between two samples", "3")
  .option("--users <range>", "whose popups", "1-1000000")
  .option("--seed <n>", "draws the same users and campaigns again", "1")
  .option("--samples <file>", "write every sample to a file, JSON")
  .option("--print", "print the section, and leave the results as they are", false)
  .parse();
const flags = program.opts<{
  seconds: string;
  fillSeconds: string;
  saturationSeconds: string;
  rate?: string;
  every: string;
  users: string;
  seed: string;
  samples?: string;
  print: boolean;
}>();
const everyMs = Number(flags.every) * 1e3;
const more = ["--users", flags.users, "--seed", flags.seed];

const started = performance.now();
const engine = await openEngine(flags.users, Number(flags.seed), everyMs * SAMPLES_PER_COLLECTION);
const redis = new Redis({ path: engine.redisSocket });
try {
  const saturation = flags.rate === undefined ? (await runBench(engine.serve.url, Number(flags.saturationSeconds), more)).rps : undefined;
  const rate = saturation === undefined ? Number(flags.rate) : Math.floor(saturation / 2);
  process.stderr.write(`${saturation === undefined ? "" : `saturation: ${Math.round(saturation)} requests/s; `}${rate} requests/s for ${flags.seconds} s\n`);
  await runBench(engine.serve.url, Number(flags.fillSeconds), ["--rate", String(rate), ...more]);
  const samples = new Samples(
    engine.watched,
    engine.heaps,
    redis,
    everyMs,
    async () => (await readMetric(engine.serve.adminUrl, "popup_reports_total", 'result="counted"')) ?? 0,
  );
  const load = await runBench(engine.serve.url, Number(flags.seconds), ["--rate", String(rate), ...more]);
  if (flags.samples !== undefined) writeFileSync(flags.samples, JSON.stringify({ series: samples.series, data: samples.data }));
  samples.stop();
  const { text, flat } = soakSection(saturation, Number(flags.fillSeconds), load, samples);
  const words = process.argv
    .slice(2)
    .filter((word) => word !== "--print")
    .join(" ");
  const section = `${provenance(`npm run soak${words === "" ? "" : ` -- ${words}`}`, (performance.now() - started) / 1e3)}\n\n${text}`;
  process.stdout.write(`${section}\n`);
  if (!flags.print) writeSection("Soak", section);
  process.exitCode = flat ? 0 : 1;
} finally {
  redis.disconnect();
  await engine.close();
}
