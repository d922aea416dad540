/** How busy this process was over a stretch of time. */

export class Usage {
  #begun: { at: number; cpu: NodeJS.CpuUsage; loop: ReturnType<typeof performance.eventLoopUtilization> } | undefined;
  #read = { cpu: 0, busy: 0 };
  #ended = false;

  begin(): void {
    if (!this.#ended) this.#begun = { at: performance.now(), cpu: process.cpuUsage(), loop: performance.eventLoopUtilization() };
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#begun) return;
    const { user, system } = process.cpuUsage(this.#begun.cpu);
    const cpu = (user + system) / 1_000 / (performance.now() - this.#begun.at);
    this.#read = { cpu, busy: performance.eventLoopUtilization(this.#begun.loop).utilization };
  }

  /** CPU time by wall time, and the share of time in which the event loop had work; both 0 when nothing was measured. */
  read(): { cpu: number; busy: number } {
    return this.#read;
  }
}
