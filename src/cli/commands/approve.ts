/** `popup approve` */
import type { Command } from "commander";
import { PopupError } from "../../errors.js";
import type { PlanJson } from "../../plan/apply.js";
import type { ApprovalRequest } from "../../store/approvals.js";
import { formatTime } from "../../time.js";
import { addYes, confirm, type YesFlag } from "../confirm.js";
import { contextOf, withStore } from "../context.js";
import { changesText, planText, requestText } from "../plan-text.js";

export function approveCommand(program: Command): void {
  addYes(
    program
      .command("approve")
      .description("agree to what another user has asked for; without a hash: what waits")
      .argument("[hash]", "of the plan, or of the setting's change"),
  )
    .addHelpText(
      "after",
      "\nOne's own request is approved by others. It is done then by popup apply, or by\npopup settings set, again.\n\nExamples:\n  popup approve\n  popup approve 0f3c5e1d2b4a69788796a5b4c3d2e1f00f1e2d3c --yes",
    )
    .action((hash: string | undefined, flags: YesFlag, command: Command) => {
      const context = contextOf(command);
      return withStore(context, async (store) => {
        const timezone = store.settings.get("timezone");
        const needed = store.approvals.needed();
        const json = (request: ApprovalRequest): unknown => ({ ...request, at: formatTime(request.at, timezone), needed });
        if (hash === undefined) {
          const waiting = store.approvals.list();
          context.print(
            waiting.map(json),
            waiting.length === 0
              ? "nothing waits for approval"
              : waiting.map((one) => `${detailText(one)}\n${requestText(one, needed, timezone)}`).join("\n\n"),
          );
          return;
        }
        const request = store.approvals.toApprove(hash);
        if (flags.yes !== true) process.stderr.write(`${detailText(request)}\n`);
        await confirm("Approve this?", flags);
        const approved = store.transaction(() => store.approvals.approve(hash));
        context.print(json(approved), requestText(approved, needed, timezone));
      });
    });
}

function detailText({ subject, detail }: ApprovalRequest): string {
  if (subject === "plan") return planText(detail as PlanJson);
  const { setting, before, after } = detail as { setting?: unknown; before?: unknown; after?: unknown };
  if (typeof setting !== "string") throw new PopupError("internal", `the request for ${subject} cannot be read`);
  return [`~ setting ${setting}`, ...changesText([{ field: "value", before, after }])].join("\n");
}
