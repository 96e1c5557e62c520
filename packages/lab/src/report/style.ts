// The report's style sheet: one column, light or dark as the reader's system is.
import { themeRules } from '../plot/theme.ts';

export const style = `
${themeRules(':root')}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 2.5rem 1.5rem 5rem; color: var(--text); background: var(--ground); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 3rem 0 0.8rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.25rem; }
h3 { margin: 1.4rem 0 0.4rem; font-size: 1rem; }
p { max-width: 46rem; }
.soft, figcaption, caption { color: var(--soft); font-size: 0.88rem; }
.question { margin: 0.4rem 0; font-size: 1.1rem; }
.row { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
figure { margin: 0; flex: 1 1 420px; max-width: 580px; }
figure.matrix { flex: 0 1 auto; max-width: 100%; }
figure.small { flex: 0 0 auto; }
figure.drawn { flex: 0 0 auto; width: min-content; max-width: none; }
figure.drawn img { display: block; max-width: min(92vw, 1132px); height: auto; }
figure svg { display: block; }
.differences td, .differences th { white-space: nowrap; }
.environment td { overflow-wrap: anywhere; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 1.4rem 0.35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: 0.88rem; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.best { font-weight: 650; }
.scroll { overflow-x: auto; }
.dot { display: inline-block; width: 0.7em; height: 0.7em; margin-right: 0.5em; border-radius: 50%; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.4rem; margin: 0.3rem 0 0.8rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(82px, 1fr)); gap: 0.9rem 0.7rem; margin-top: 0.5rem; }
.pictures figure { max-width: none; }
.pictures img { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; background: var(--panel); border: 2px solid var(--line); }
.pictures .wrong img { border-color: var(--wrong); }
.pictures .right img { border-color: var(--right); }
.pictures figcaption { margin-top: 0.25rem; font-size: 0.75rem; line-height: 1.3; }
.pictures .sure { white-space: nowrap; }
.wrong b { color: var(--wrong); font-weight: 600; }
.verdict.holds { color: var(--right); }
.verdict.fails { color: var(--wrong); }
.right b { color: var(--right); font-weight: 600; }
details { margin: 0.4rem 0; }
summary { cursor: pointer; }
pre { margin: 0.5rem 0; padding: 0.9rem 1.1rem; overflow-x: auto; background: var(--panel); border-radius: 6px; font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media print { body { max-width: none; padding: 0; } details { display: none; } }
`;
