// One style sheet for all pages: light and dark, from phone width up.
#include "proxy/approval/assets.hpp"

namespace reauth::assets {

const std::string_view style_css = R"~~(:root {
  color-scheme: light dark;
  --ground: #f4f5f9; --card: #ffffff; --ink: #171a2b; --soft: #565c74; --line: #e1e4ee; --well: #f7f8fc;
  --accent: #3d52d5; --accent-strong: #2c3fb8; --on-accent: #ffffff; --accent-wash: #eceffd;
  --good: #136f45; --good-wash: #e3f5ec; --warn: #7d4e00; --warn-wash: #fff3d9; --warn-line: #efcf8a;
  --bad: #b3261e; --bad-wash: #fdeceb;
  --shadow: 0 1px 2px rgb(23 26 43 / .06), 0 8px 28px rgb(23 26 43 / .07);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f111a; --card: #181b28; --ink: #eceef7; --soft: #a4aac2; --line: #2b2f42; --well: #12141f;
    --accent: #93a4ff; --accent-strong: #b1beff; --on-accent: #10132a; --accent-wash: #222844;
    --good: #6fd6a3; --good-wash: #15301f; --warn: #f3c969; --warn-wash: #2f2613; --warn-line: #5d4a1d;
    --bad: #ff9d95; --bad-wash: #3a1b1b;
    --shadow: 0 1px 2px rgb(0 0 0 / .4), 0 10px 30px rgb(0 0 0 / .35);
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  min-height: 100vh; overflow-wrap: anywhere;
}
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; border-radius: 8px; z-index: 2; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
#content:focus { outline: none; }

.top { display: flex; align-items: center; justify-content: space-between; gap: 1rem; max-width: 68rem; margin: 0 auto; padding: 1.25rem 1.5rem .25rem; }
.brand { display: inline-flex; align-items: center; gap: .625rem; font-weight: 650; letter-spacing: -.01em; }
.brand img { display: block; border-radius: 7px; }
body:has(main.narrow) .top { max-width: 44rem; }
main { margin: 0 auto; padding: 1.25rem 1.5rem 3rem; }
main.narrow { max-width: 44rem; }
main.wide { max-width: 68rem; }

.card { background: var(--card); border: 1px solid var(--line); border-radius: 16px; box-shadow: var(--shadow); padding: 2rem; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.022em; font-weight: 680; margin: 0 0 .6rem; text-wrap: balance; }
h2 { font-size: .8125rem; font-weight: 620; color: var(--soft); margin: 0 0 .6rem; }
h2.big { font-size: 1.375rem; color: var(--ink); letter-spacing: -.015em; }
.eyebrow { margin: 0 0 .5rem; font-size: .8125rem; font-weight: 620; color: var(--accent); }
.lede { margin: 0; color: var(--soft); font-size: 1.0625rem; }
.lede strong { color: var(--ink); font-weight: 620; }
code { font-family: var(--mono); font-size: .9em; background: var(--well); border: 1px solid var(--line); border-radius: 6px; padding: .08em .38em; }
pre { margin: 0; padding: .9rem 1rem; font: 400 .875rem/1.5 var(--mono); background: var(--well); border: 1px solid var(--line); border-radius: 12px; overflow: auto; max-height: 22rem; white-space: pre-wrap; overflow-wrap: anywhere; }
details pre { margin-top: .8rem; }
.card section { margin-top: 1.75rem; }

.pill { display: inline-flex; align-items: center; gap: .45rem; font-size: .8125rem; font-weight: 580; padding: .25rem .7rem; border-radius: 999px; color: var(--soft); background: var(--card); border: 1px solid var(--line); white-space: nowrap; }
.pill::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: currentColor; flex: none; }
.pill.good { color: var(--good); background: var(--good-wash); border-color: transparent; }
.pill.warn { color: var(--warn); background: var(--warn-wash); border-color: transparent; }
.pill.bad { color: var(--bad); background: var(--bad-wash); border-color: transparent; }

.columns { display: grid; grid-template-columns: 1fr 1fr; border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.columns > div { padding: 1rem 1.1rem; min-width: 0; }
.columns > div + div { border-left: 1px solid var(--line); background: var(--accent-wash); }
.columns h3, .route h3 { margin: 0 0 .55rem; font-size: .8125rem; font-weight: 620; color: var(--soft); }
.columns > div + div h3 { color: var(--accent); }
.chips { display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; padding: 0; list-style: none; }
.chips li { font: 500 .8125rem/1.5 var(--mono); padding: .12rem .55rem; border-radius: 7px; background: var(--well); border: 1px solid var(--line); max-width: 100%; }
.chips.new li { background: var(--card); border-color: var(--accent); color: var(--accent-strong); }
.none { margin: 0; color: var(--soft); font-size: .9375rem; }

.hops { list-style: none; margin: 0; padding: 0; display: grid; gap: .1rem; }
.hops li { display: grid; grid-template-columns: 10.5rem 1fr; gap: .75rem; padding: .5rem 0; border-top: 1px solid var(--line); }
.hops li:first-child { border-top: 0; padding-top: 0; }
.hops span { color: var(--soft); font-size: .9375rem; }
.hops b { font: 550 .9375rem/1.6 var(--mono); }
.hops b.odd { color: var(--warn); }

.note { margin: 1.5rem 0 0; padding: .9rem 1.1rem; border-radius: 12px; background: var(--well); border: 1px solid var(--line); font-size: .9375rem; }
.note.warn { background: var(--warn-wash); border-color: var(--warn-line); color: var(--warn); }
.note.bad { background: var(--bad-wash); border-color: transparent; color: var(--bad); }
.note strong { font-weight: 650; }
.note p { margin: .25rem 0 0; }
.note ul { margin: .35rem 0 0; padding-left: 1.15rem; }
.note.first { margin: 0 0 1.5rem; }

.decision { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; margin-top: 1.5rem; }
.decision form { margin: 0; }
.left { margin: 0 0 0 auto; color: var(--soft); font-size: .9375rem; font-variant-numeric: tabular-nums; }
button, .button { font: inherit; font-weight: 600; border-radius: 10px; border: 1px solid transparent; padding: .65rem 1.15rem; cursor: pointer; text-decoration: none; display: inline-block; text-align: center; max-width: 100%; transition: background-color .12s, border-color .12s; }
.primary { background: var(--accent); color: var(--on-accent); }
.primary:hover { background: var(--accent-strong); }
.quiet { background: transparent; color: var(--ink); border-color: var(--line); }
.quiet:hover { border-color: var(--soft); background: var(--well); }
.danger { background: transparent; color: var(--bad); border-color: var(--bad); }
.small { padding: .35rem .8rem; font-size: .875rem; border-radius: 8px; }
button:disabled { opacity: .55; cursor: default; }

.facts { display: grid; grid-template-columns: 10.5rem 1fr; gap: .45rem .75rem; margin: 0; font-size: .9375rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
.facts small { color: var(--soft); }
details { margin-top: 1.5rem; border-top: 1px solid var(--line); padding-top: 1.1rem; }
summary { cursor: pointer; font-weight: 560; font-size: .9375rem; }
details p { color: var(--soft); font-size: .9375rem; margin: .6rem 0 .8rem; }
.paste { display: flex; gap: .6rem; align-items: end; }
.paste label { flex: 1; font-size: .8125rem; font-weight: 580; color: var(--soft); min-width: 0; }
input { display: block; width: 100%; margin-top: .3rem; font: 400 .9375rem/1.4 var(--mono); color: var(--ink); background: var(--well); border: 1px solid var(--soft); border-radius: 10px; padding: .65rem .8rem; }
.foot { color: var(--soft); font-size: .8125rem; text-align: center; margin: 1.25rem 0 0; }

.message { text-align: center; padding: 3rem 2rem; }
.message .lede { max-width: 32rem; margin: 0 auto; }
.badge { display: grid; place-items: center; width: 3.25rem; height: 3.25rem; margin: 0 auto 1.1rem; border-radius: 50%; background: var(--accent-wash); color: var(--accent); font-size: 1.5rem; font-weight: 700; }
.badge::before { content: "…"; }
.badge.good { background: var(--good-wash); color: var(--good); }
.badge.good::before { content: "✓"; }
.badge.bad { background: var(--bad-wash); color: var(--bad); }
.badge.bad::before { content: "!"; }
#back { margin: 1.5rem 0 0; }
.message .note { text-align: left; display: inline-block; }

.section-head { display: flex; align-items: center; gap: .6rem; margin: 1.25rem 0 .75rem; }
.section-head h2 { font-size: 1.125rem; color: var(--ink); margin: 0; letter-spacing: -.01em; }
.count { min-width: 1.6rem; text-align: center; font-size: .8125rem; font-weight: 620; color: var(--soft); border: 1px solid var(--line); border-radius: 999px; padding: .05rem .45rem; background: var(--card); font-variant-numeric: tabular-nums; }
.count.some { color: var(--on-accent); background: var(--accent); border-color: var(--accent); }
#board section + section { margin-top: 2.25rem; }
.stack { display: grid; gap: 1rem; }
.grid { columns: 21rem; column-gap: 1rem; }
.grid > * { break-inside: avoid; margin-bottom: 1rem; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem 1.35rem; box-shadow: var(--shadow); display: flex; flex-direction: column; gap: .8rem; min-width: 0; }
.tile.ask { box-shadow: inset 4px 0 0 var(--accent), var(--shadow); padding-left: 1.6rem; }
.tile .note { margin: 0; font-size: .875rem; padding: .7rem .9rem; }
.tile .note p { color: inherit; font-size: inherit; margin: 0; }
.tile-head { display: flex; justify-content: space-between; align-items: start; gap: .75rem; }
.tile h3 { margin: 0; font-size: 1.0625rem; font-weight: 640; letter-spacing: -.01em; min-width: 0; }
.tile p { margin: 0; color: var(--soft); font-size: .9375rem; }
.tile p.trouble { color: var(--bad); }
.tile .facts { grid-template-columns: 7rem 1fr; font-size: .875rem; gap: .3rem .6rem; }
.tile .facts dd { font-variant-numeric: tabular-nums; }
.tile .actions { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin-top: auto; padding-top: .2rem; }
.empty { border: 1px dashed var(--line); border-radius: 14px; padding: 1.75rem; text-align: center; color: var(--soft); }
.empty strong { display: block; color: var(--ink); font-weight: 600; }
.toast { position: fixed; left: 50%; bottom: 1.25rem; transform: translateX(-50%); margin: 0; padding: .65rem 1.1rem; border-radius: 10px; background: var(--ink); color: var(--ground); font-size: .9375rem; max-width: calc(100vw - 2rem); box-shadow: var(--shadow); }
.grid .empty { column-span: all; }
.toast:empty { display: none; }

@media (max-width: 34rem) {
  .top { padding: 1rem 1rem .25rem; }
  main { padding: .75rem .75rem 2.5rem; }
  .card { padding: 1.35rem 1.15rem; border-radius: 14px; }
  h1 { font-size: 1.4375rem; }
  .columns { grid-template-columns: 1fr; }
  .columns > div + div { border-left: 0; border-top: 1px solid var(--line); }
  .hops li, .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .45rem; }
  .decision form, .decision button { width: 100%; }
  .left { margin: .1rem auto 0; }
  .paste { flex-direction: column; align-items: stretch; }
  .message { padding: 2.25rem 1.15rem; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (forced-colors: active) { .pill::before { background: CanvasText; } button, .button { border-color: ButtonText; } }
.url { display: flex; gap: .6rem; align-items: start; justify-content: space-between; }
.url code, .url pre { min-width: 0; flex: 1; }
.url code { border: 0; background: none; padding: .3rem 0; font-size: .875rem; }
.choose { display: flex; flex-wrap: wrap; gap: 1rem; }
.choose label { font-size: .8125rem; font-weight: 580; color: var(--soft); flex: 1 1 12rem; }
select { display: block; width: 100%; margin-top: .3rem; font: inherit; font-size: .9375rem; color: var(--ink); background: var(--well); border: 1px solid var(--soft); border-radius: 10px; padding: .55rem .7rem; }
.check { display: inline-flex; gap: .5rem; align-items: center; font-size: .875rem; width: 100%; }
.check input { width: auto; margin: 0; }
.tile.row { flex-direction: row; flex-wrap: wrap; align-items: center; justify-content: space-between; }
.tile.row code { flex: 1 1 20rem; min-width: 0; }
.soft { color: var(--soft); font-size: .875rem; }
#connect-entry { display: grid; gap: .6rem; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); }
table { width: 100%; border-collapse: collapse; font-size: .875rem; }
th { text-align: left; font-weight: 620; color: var(--soft); font-size: .8125rem; padding: .7rem 1rem .5rem; white-space: nowrap; }
td { padding: .5rem 1rem; border-top: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
td small { display: block; color: var(--soft); max-width: 30rem; overflow-wrap: anywhere; }
td.trouble { color: var(--bad); }
.device { display: flex; gap: 1.5rem; align-items: center; flex-wrap: wrap; justify-content: space-between; }
.device > div { flex: 1 1 16rem; min-width: 0; }
.device .code code { font-size: 1.9rem; letter-spacing: .12em; font-weight: 600; user-select: all; }
.device .address { overflow-wrap: anywhere; }
.qr { width: 11rem; height: 11rem; border-radius: .5rem; }
)~~";

} // namespace reauth::assets
