// The page of `athanor ui`: its frame and its looks; what it shows comes from its scripts.
import { themeRules } from '../plot/theme.ts';
import { Html, html } from '../report/html.ts';

/** The frame of the page; `scripts` are the paths of all its scripts, the first one first. */
export function appPage({ root, scripts: [entry = '', ...others] }: { readonly root: string; readonly scripts: readonly string[] }): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Athanor — ${root}</title>
<link rel="icon" href="data:,">
<style>${new Html(style)}</style>
${others.map((path) => html`<link rel="modulepreload" href="${path}">`)}
<script type="module" src="${entry}"></script>
</head>
<body>
<header>
<h1>Athanor</h1><span class="soft" id="root">${root}</span>
<span id="state" class="state" role="status">looking …</span>
</header>
<section aria-label="curves">
<form id="controls" autocomplete="off">
<div id="metrics" class="chips" role="group" aria-label="metrics"></div>
<label>smooth <input id="smooth" type="range" min="0" max="20" step="1" value="0"> <output id="smoothed">0 %</output></label>
<label><input id="log" type="checkbox"> log scale</label>
<label><input id="group" type="checkbox"> mean over seeds</label>
</form>
<div id="legend" class="legend"></div>
<div id="charts" class="charts"></div>
<p id="hint" class="soft"></p>
</section>
<section aria-label="runs">
<div class="bar">
<input id="filter" type="search" placeholder="filter: norm=batch  done  test.accuracy>0.8  -layer" aria-label="filter runs" autocomplete="off" spellcheck="false">
<span id="count" class="soft"></span>
<button type="button" id="choose">show these</button>
<button type="button" id="clear">clear</button>
</div>
<div class="scroll"><table id="runs"><thead></thead><tbody></tbody></table></div>
<p id="more" class="soft"></p>
<p id="unreadable" class="wrong"></p>
</section>
<div id="tooltip" hidden></div>
<noscript>This page needs its scripts: allow them for this address.</noscript>
</body>
</html>
`.text;
}

/** A report with the way back to the table, and to the whole study if it is that of one run. */
export function withReturn(page: string, study: string | undefined): string {
  const links = html`<nav style="margin-bottom:1.5rem"><a href="/">← all runs</a>${study === undefined ? undefined : html` · <a href="${study}">the whole study</a>`}</nav>`;
  return page.replace('<body>', `<body>\n${links.text}`);
}

const style = `
${themeRules(':root')}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1500px; padding: 0.9rem 1.4rem 4rem; color: var(--text); background: var(--ground); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
header { display: flex; align-items: baseline; gap: 0.9rem; }
h1 { margin: 0; font-size: 1.25rem; letter-spacing: -0.01em; }
.soft { color: var(--soft); font-size: 0.9em; }
.wrong { color: var(--wrong); }
#root { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.state { margin-left: auto; color: var(--soft); font-size: 0.9em; white-space: nowrap; }
.state.live::before { content: ""; display: inline-block; width: 0.6em; height: 0.6em; margin-right: 0.45em; border-radius: 50%; background: var(--right); }
section { margin-top: 0.9rem; }
form, .bar { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1.2rem; min-height: 2.2rem; }
form label { display: inline-flex; align-items: center; gap: 0.35rem; color: var(--soft); white-space: nowrap; }
output { min-width: 2.6em; }
.chips { display: flex; flex-wrap: wrap; gap: 0.35rem; }
button, .chips button, input[type="search"] { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 0.2rem 0.65rem; }
button { cursor: pointer; }
button:hover { border-color: var(--soft); }
button[aria-pressed="true"] { color: var(--ground); background: var(--accent); border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
input[type="search"] { flex: 1 1 20rem; max-width: 34rem; padding: 0.35rem 0.65rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 0.6rem 1.4rem; margin-top: 0.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1.3rem; margin-top: 0.4rem; font-size: 0.92em; }
.legend svg { margin-right: 0.5em; vertical-align: middle; }
figure { position: relative; margin: 0; min-height: 220px; }
figure svg.athanor-plot { display: block; width: 100%; }
figure .cursor { position: absolute; top: 0; width: 1px; background: var(--soft); pointer-events: none; }
.scroll { margin-top: 0.6rem; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: 0.28rem 1.1rem 0.28rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th { position: sticky; top: 0; background: var(--ground); }
th button { padding: 0.1rem 0; border: 0; background: none; color: var(--soft); font-weight: 600; }
th[aria-sort="ascending"] button::after { content: " ↑"; }
th[aria-sort="descending"] button::after { content: " ↓"; }
td.number, th.number { text-align: right; }
tbody tr:hover { background: var(--panel); }
td a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px; }
td a:hover { text-decoration-color: currentColor; }
.dot { display: inline-block; width: 0.7em; height: 0.7em; margin-left: 0.45em; border-radius: 50%; }
.running { color: var(--right); font-weight: 600; }
.interrupted { color: var(--wrong); }
.waiting { color: var(--soft); }
#tooltip { position: fixed; z-index: 2; max-width: 34rem; padding: 0.4rem 0.6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--ground); box-shadow: 0 2px 10px rgb(0 0 0 / 0.18); font-size: 12px; pointer-events: none; }
#tooltip div { display: flex; gap: 1rem; justify-content: space-between; white-space: nowrap; }
#tooltip b { font-weight: 600; }
`;
