import { Exposition } from "../../dist/doctor/exposition.js";

/** One scrape of an admin listener. @param adminUrl without a path */
export async function scrape(adminUrl: string): Promise<Exposition> {
  const answer = await fetch(`${adminUrl}/metrics`);
  if (answer.status !== 200) throw new Error(`the admin listener answers ${answer.status}`);
  return new Exposition(await answer.text());
}
