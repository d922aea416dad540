/** The campaigns and customers of every run: few enough customers that caps bite within seconds. */
import { type Cap, parseCaps } from "../../dist/caps.js";

/** A campaign as the checker knows it: rules in the words of the design, nothing of how the engine keeps them. */
export interface RuledCampaign {
  readonly id: number;
  readonly caps: readonly Cap[];
  /** Who may see it; undefined for everyone. */
  readonly members?: ReadonlySet<string>;
  /** Reactions after which the customer never sees it again. */
  readonly stopAfter: readonly ("click" | "dismiss")[];
}

export interface Rules {
  readonly campaigns: readonly RuledCampaign[];
  /** Over all popups of a customer together. */
  readonly policy: readonly Cap[];
  /** How long a decision holds a place in the caps, s; 0 for not at all. */
  readonly reserveS: number;
}

export const CUSTOMERS = 40;
const USERS_EACH = 8;
export const POLICY = "6/10s";
export const SEGMENT = "staff";

/** The users of one customer: every other one has a string id. */
export function usersOf(customer: number): string[] {
  return Array.from({ length: USERS_EACH }, (_, i) => (i % 2 === 0 ? String(1_000 + customer * USERS_EACH + i) : `user-${customer}.${i}`));
}

export const everyUser = (): string[] => Array.from({ length: CUSTOMERS }, (_, customer) => usersOf(customer)).flat();

/** A third of the users. */
export const staff = (): string[] => everyUser().filter((_, i) => i % 3 === 0);

/** In the order of selection; their ids are 1, 2, … */
const CAMPAIGNS = [
  { title: "Staff only, two in all", target: `segment:${SEGMENT}`, caps: ["2/total"], stop_after: [] },
  { title: "Once a day", target: "all", caps: ["1/day"], stop_after: [] },
  { title: "Three in all", target: "all", caps: ["3/total"], stop_after: [] },
  { title: "Two in ten seconds", target: "all", caps: ["2/10s"], stop_after: [] },
  { title: "Until it is dismissed", target: "all", caps: [], stop_after: ["dismiss" as const] },
  { title: "Always", target: "all", caps: [], stop_after: [] },
];

/** As `popup campaign import` takes them. */
export function campaignRecords(): Record<string, unknown>[] {
  return CAMPAIGNS.map((campaign, i) => ({
    ...campaign,
    priority: 100 - i,
    image_url: "https://bank.example/a.png",
    action_url: "bankapp:a",
    start_time: "2020-01-01T00:00:00Z",
    end_time: "2040-01-01T00:00:00Z",
    status: "active",
  }));
}

export function rulesOf(reserveS: number): Rules {
  const members = new Set(staff());
  return {
    campaigns: CAMPAIGNS.map(({ target, caps, stop_after: stopAfter }, i) => ({
      id: i + 1,
      caps: parseCaps(caps),
      stopAfter,
      ...(target === "all" ? {} : { members }),
    })),
    policy: parseCaps(POLICY.split(",")),
    reserveS,
  };
}
