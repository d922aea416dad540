import t from "tap";
import { type CampaignJson, campaignToJson, parseCampaign } from "../dist/campaign.js";
import { formatCampaignCsv, parseCampaignFile } from "../dist/campaign-files.js";
import { campaignInput } from "./helpers/engine.js";

const HEADER = "id,title,body,image_url,action_url,priority,target,caps,start_time,end_time,status,count_on,stop_after,exempt,reserve,test_users";
const json = (id: number, fields: Record<string, unknown> = {}): CampaignJson => campaignToJson({ id, ...parseCampaign(campaignInput(fields), "UTC") }, "UTC");

t.test("JSON with and without a byte-order mark", async (t) => {
  t.same(parseCampaignFile('[{"title":"T"}]', "f"), [{ title: "T" }]);
  t.same(parseCampaignFile('\uFEFF  [{"title":"T"}]\n', "f"), [{ title: "T" }]);
  t.same(parseCampaignFile("[]", "f"), []);
  t.throws(() => parseCampaignFile('{"title":"T"}', "one.json"), {
    code: "bad_file",
    message: "one.json is not an array of campaigns",
    hint: "write [{…}, {…}]",
  });
  t.throws(() => parseCampaignFile('[{"title":', "cut.json"), {
    code: "bad_file",
    message: /^cut\.json is not JSON: /,
    hint: "popup campaign export shows the form",
  });
});

t.test("CSV cells become what the fields take", async (t) => {
  t.same(
    parseCampaignFile(
      '\uFEFFid,title,priority,caps,stop_after,exempt,body\r\n7,A,-5,"1/day, 3/total",click;dismiss,true,\r\n,B,x,1/day 2/week,,maybe,"a ""b"", c"\r\n',
      "f",
    ),
    [
      { id: 7, title: "A", priority: -5, caps: ["1/day", "3/total"], stop_after: ["click", "dismiss"], exempt: true },
      { title: "B", priority: "x", caps: ["1/day", "2/week"], exempt: "maybe", body: 'a "b", c' },
    ],
    "an empty cell names no field; a wrong one is left for the check that names it",
  );
  t.same(parseCampaignFile("title\n", "f"), []);
  t.throws(() => parseCampaignFile('title,body\n"open,x\n', "open.csv"), { code: "bad_file", message: /^open\.csv is not CSV: /, hint: /./ });
  t.throws(() => parseCampaignFile("title,body\na,b,c\n", "wide.csv"), { code: "bad_file", message: /^wide\.csv is not CSV: / });
});

t.test("what is written as CSV is read back as it was", async (t) => {
  const campaigns = [
    json(1, {
      title: 'Say "hi", twice',
      body: "two\r\nlines",
      caps: ["1/day", "3/total"],
      stop_after: ["click", "dismiss"],
      exempt: true,
      priority: -7,
      test_users: ["007", "anna@bank"],
    }),
    json(2, { title: "  blanks around  ", body: null }),
    json(3, { title: "Größe 😀", target: "segment:a & !(users | segment:b)", body: "=1+1" }),
  ];
  const text = formatCampaignCsv(campaigns);
  t.equal(text.split("\n")[0], HEADER);
  const back = (parseCampaignFile(text, "f") as Record<string, unknown>[]).map(({ id, ...input }) =>
    campaignToJson({ id: Number(id), ...parseCampaign(input, "UTC") }, "UTC"),
  );
  t.same(back, campaigns);
  t.equal(formatCampaignCsv([]), HEADER);
});
