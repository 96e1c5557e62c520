// The page: asks the server for what has changed, and shows it.
import type { Charts } from '../charts.ts';
import type { RunRow } from '../runs.ts';
import { chartWidth, showCharts } from './charts.ts';
import { element, part } from './dom.ts';
import { chosenRows, keyOf, readChoice, writeChoice } from './state.ts';
import type { Known } from './state.ts';
import { drawTable, visibleRows } from './table.ts';

const known: Known = { rows: new Map(), version: -1, complete: false };
let choice = readChoice(location.hash);
let looks = new Map<number, number>();
let drawn = '';
let asked = 0;
let updating = false;
let again = false;

const rows = (): RunRow[] => [...known.rows.values()];

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as Answer;
}

interface Changes {
  readonly version: number;
  readonly complete: boolean;
  readonly rows: RunRow[];
  readonly gone: number[];
  readonly unreadable: string[];
}

/** Asks for what has changed, once at a time; what comes meanwhile is asked for afterwards. */
async function update(): Promise<void> {
  if (updating) {
    again = true;
    return;
  }
  updating = true;
  try {
    do {
      again = false;
      await takeChanges();
    } while (again);
  } finally {
    updating = false;
  }
}

/** Takes what has changed on the disk; charts are drawn again if it concerns them. */
async function takeChanges(): Promise<void> {
  const { version } = known;
  const changes = await get<Changes>(`/api/runs?since=${version}`);
  for (const id of changes.gone) known.rows.delete(id);
  for (const row of changes.rows) known.rows.set(row.id, row);
  known.version = changes.version;
  known.complete = changes.complete;
  part('unreadable', HTMLParagraphElement).textContent = changes.unreadable.length > 0 ? `cannot be read: ${changes.unreadable.join('; ')}` : '';
  const chosen = new Set(chosenRows(rows(), choice).map(({ id }) => id));
  if (changes.rows.some(({ id }) => chosen.has(id)) || changes.gone.length > 0) drawn = '';
  showTable();
  await showCurves();
  if (!known.complete) setTimeout(() => void update(), 150);
}

function showTable(): void {
  const chosen = new Set(chosenRows(rows(), choice).map(({ id }) => id));
  drawTable(rows(), choice, looks, chosen, {
    sort: (column) => {
      change({ sort: column, descending: choice.sort === column ? !choice.descending : column !== 'study' && column !== 'variant' && column !== 'seed' });
    },
    choose: (row, shown) => {
      const keys = chosenRows(rows(), choice).map(keyOf);
      change({ runs: shown ? [...keys, keyOf(row)] : keys.filter((key) => key !== keyOf(row)) });
    },
  });
  const count = rows().filter(({ status }) => status === 'running').length;
  const state = part('state', HTMLSpanElement);
  state.textContent = known.complete ? (count > 0 ? `${count} running` : 'nothing is running') : `looking: ${known.rows.size} runs`;
  state.classList.toggle('live', count > 0);
}

async function showCurves(): Promise<void> {
  const chosen = chosenRows(rows(), choice);
  const words = new URLSearchParams({ runs: chosen.map(({ id }) => id).join(','), smooth: String(choice.smooth / 100), log: choice.log ? '1' : '0', group: choice.group ? '1' : '0', width: String(chartWidth()) });
  for (const metric of choice.metrics) words.append('metric', metric);
  const question = words.toString();
  if (question === drawn) return;
  drawn = question;
  const turn = ++asked;
  const answer = chosen.length === 0 ? { metrics: [], charts: [], looks: {}, legend: [] } : await get<Charts>(`/api/charts?${question}`);
  if (turn !== asked) return;
  looks = new Map(Object.entries(answer.looks).map(([id, look]) => [Number(id), look]));
  showCharts(answer);
  showMetrics(answer);
  const hint = part('hint', HTMLParagraphElement);
  if (chosen.length === 0) hint.textContent = known.rows.size === 0 && known.complete ? 'There are no runs yet: athanor run makes some.' : 'Tick runs in the table to see their curves.';
  else hint.textContent = answer.metrics.length === 0 ? 'These runs have logged nothing yet.' : '';
  showTable();
}

/** A button for each metric; pressed are those with a chart. */
function showMetrics({ metrics, charts }: Charts): void {
  const shown = charts.map(({ metric }) => metric);
  part('metrics', HTMLDivElement).replaceChildren(
    ...metrics.slice(0, 40).map((metric) => {
      const pressed = shown.includes(metric);
      const button = element('button', { type: 'button', 'aria-pressed': String(pressed) }, metric);
      button.addEventListener('click', () => change({ metrics: pressed ? shown.filter((one) => one !== metric) : [...shown, metric] }));
      return button;
    }),
  );
}

/** Takes a choice of the reader's and shows what follows from it. */
function change(changed: Partial<typeof choice>): void {
  choice = { ...choice, ...changed };
  history.replaceState(null, '', `#${writeChoice(choice)}`);
  showControls();
  showTable();
  void showCurves();
}

function showControls(): void {
  part('smooth', HTMLInputElement).value = String(choice.smooth);
  part('smoothed', HTMLOutputElement).textContent = `${choice.smooth} %`;
  part('log', HTMLInputElement).checked = choice.log;
  part('group', HTMLInputElement).checked = choice.group;
  const filter = part('filter', HTMLInputElement);
  if (filter.value !== choice.filter) filter.value = choice.filter;
}

function listen(): void {
  const filter = part('filter', HTMLInputElement);
  const smooth = part('smooth', HTMLInputElement);
  const log = part('log', HTMLInputElement);
  const group = part('group', HTMLInputElement);
  filter.addEventListener('input', () => change({ filter: filter.value }));
  smooth.addEventListener('input', () => change({ smooth: Number(smooth.value) }));
  log.addEventListener('change', () => change({ log: log.checked }));
  group.addEventListener('change', () => change({ group: group.checked }));
  part('controls', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
  part('choose', HTMLButtonElement).addEventListener('click', () => change({ runs: visibleRows(rows(), choice).slice(0, 60).map(keyOf) }));
  part('clear', HTMLButtonElement).addEventListener('click', () => change({ runs: [] }));
  window.addEventListener('hashchange', () => {
    choice = readChoice(location.hash);
    change({});
  });
  const events = new EventSource('/api/events');
  events.addEventListener('message', ({ data }) => {
    if (Number(data) > known.version) void update();
  });
  events.addEventListener('error', () => {
    part('state', HTMLSpanElement).textContent = 'not connected: is athanor ui still running?';
    part('state', HTMLSpanElement).classList.remove('live');
  });
}

showControls();
void update();
listen();
