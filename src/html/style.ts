/** The look of the page: no fonts or pictures from elsewhere, light and dark by the reader's own setting. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #16191d; --soft: #4d5560; --faint: #737b86; --line: #e3e6ea; --base: #b4bac2;
  --get: #2a78d6; --post: #c2540d; --all: #6a4fc4; --good: #17703a; --bad: #b3261e; --warn: #fff6de; --warn-ink: #6b4e00; }
@media (prefers-color-scheme: dark) { :root { --page: #101215; --card: #191c20; --ink: #eef0f2; --soft: #b6bdc6; --faint: #8b939d; --line: #2a2e34; --base: #4a515a;
  --get: #5a9ff0; --post: #f0803c; --all: #a890f5; --good: #5fc98a; --bad: #ff8a80; --warn: #35290b; --warn-ink: #f1d48a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 1.05rem; margin: 36px 0 10px; }
.lead { margin: 0 0 24px; color: var(--soft); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; margin: 0; }
.tiles div, figure, .table, .remark, .checks { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tiles div { padding: 12px 14px; }
.tiles dt { color: var(--soft); font-size: .8rem; }
.tiles dd { margin: 2px 0 0; font-size: 1.5rem; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; white-space: nowrap; }
.tiles small { font-size: .8rem; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.tiles .trouble dd { color: var(--bad); }
.remark { margin: 16px 0 0; padding: 10px 14px; background: var(--warn); color: var(--warn-ink); border-color: transparent; }
.checks { list-style: none; margin: 16px 0 0; padding: 8px 14px; }
.checks li { overflow-wrap: anywhere; } .checks b { font-weight: 600; } .checks .held b { color: var(--good); } .checks .failed b { color: var(--bad); }
figure { margin: 0 0 14px; padding: 14px 14px 8px; }
figcaption { font-weight: 600; font-size: .95rem; }
svg { display: block; width: 100%; height: auto; margin-top: 6px; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg.narrow { display: none; }
.legend { margin: 4px 0 0; font-size: .85rem; color: var(--soft); } .legend span { margin-right: 16px; white-space: nowrap; }
.legend i { display: inline-block; width: 16px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; background: currentColor; }
.legend .get i { background: var(--get); } .legend .post i { background: var(--post); }
.grid { stroke: var(--line); } .base, .stub { stroke: var(--base); }
.tick { fill: var(--faint); } .axis { fill: var(--soft); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } .line.get { stroke: var(--get); } .line.post { stroke: var(--post); } .line.all { stroke: var(--all); }
.area { opacity: .12; } .area.all, .dot.all { fill: var(--all); } .area.get { fill: var(--get); } .dot.get { fill: var(--get); } .dot.post { fill: var(--post); }
.mark { stroke: var(--faint); stroke-dasharray: 5 4; }
.note { fill: transparent; } .note:hover { fill: var(--ink); fill-opacity: .06; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: 7px 14px; text-align: left; border-top: 1px solid var(--line); white-space: nowrap; } thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .82rem; }
.number { text-align: right; } tbody th { font-weight: 600; }
.table.conditions th { width: 1%; font-weight: 500; color: var(--soft); vertical-align: top; } .table.conditions tr:first-child > * { border-top: 0; }
.table.conditions td { white-space: normal; overflow-wrap: anywhere; }
footer { margin-top: 28px; color: var(--faint); font-size: .85rem; }
@media (max-width: 720px) { main { padding: 20px 14px 32px; } .tiles { grid-template-columns: repeat(2, 1fr); gap: 10px; } svg.wide { display: none; } svg.narrow { display: block; }
  figure { padding: 12px 8px 6px; } figcaption, .legend { padding: 0 6px; } th, td { padding: 7px 8px; } table { font-size: .82rem; } thead th { font-size: .75rem; } }
@media (min-width: 721px) and (max-width: 900px) { .tiles { grid-template-columns: repeat(3, 1fr); } }
`;

/** Rows of a name, a bar and its figures, for pages that have them. */
export const BARS = `
.bars { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.bar { display: grid; grid-template-columns: 220px 1fr 210px; gap: 4px 14px; align-items: center; padding: 6px 0; }
.bar + .bar { border-top: 1px solid var(--line); }
.bar .name { overflow-wrap: anywhere; } .bar .name small, .bar .figures small { color: var(--soft); }
.bar .figures small { display: inline-block; } .bar .figures { text-align: right; font-variant-numeric: tabular-nums; }
.track { height: 18px; background: var(--page); border-radius: 4px; position: relative; overflow: hidden; }
.track i { position: absolute; inset: 0 auto 0 0; background: var(--get); } .track i.meant { opacity: .25; }
.starved { color: var(--bad); font-weight: 600; }
@media (max-width: 720px) { .bar { grid-template-columns: 1fr auto; } .bar .figures { max-width: 190px; } .bar .track { grid-column: 1 / -1; grid-row: 2; } }
`;
