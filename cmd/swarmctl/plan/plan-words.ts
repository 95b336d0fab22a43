import { formatDurationMs, type PlanAnswer, type PlannedMove } from '../../../api/v1/index.js';
import { indented, renderPart } from '../describe/sheet.js';
import type { NodeNames } from '../objects/node-names.js';
import { taskNames, unplacedBlock } from '../output/node-answers.js';
import { renderTable } from '../output/table.js';
import { plural } from '../output/words.js';

type Planned = Omit<PlanAnswer, 'objects' | 'revision'>;
type PlannedService = PlanAnswer['services'][number];

/** Steps, and tasks of a step, that people read; `-o json` has all. */
const MOST_STEPS = 20;
const MOST_MOVES = 10;
const MOST_NODES = 8;

/** What would become of tasks, for people. */
export function planWords(plan: Planned, nodeName: NodeNames): string {
  return [
    renderPart('Steps', indented(stepsTable(plan, nodeName))),
    renderPart('Placement', indented(placementTable(plan, nodeName))),
    ...plan.services.flatMap(unplacedParts),
    noteLines(plan),
  ]
    .filter(Boolean)
    .join('\n');
}

interface StepRow {
  readonly step: string;
  readonly after: string;
  readonly task: string;
  readonly what: string;
}

function stepsTable({ steps }: Planned, nodeName: NodeNames): string {
  if (steps.length === 0) return '';
  const rows = steps.slice(0, MOST_STEPS).flatMap(({ afterMs, moves }, index): StepRow[] => {
    const shown = moves.slice(0, MOST_MOVES).map((move) => ({
      task: move.task,
      what: moveWords(move, nodeName),
    }));
    if (moves.length > MOST_MOVES) {
      shown.push({ task: '...', what: plural(moves.length - MOST_MOVES, 'more task') });
    }
    return shown.map((row, at) => ({
      step: at === 0 ? String(index + 1) : '',
      after: at === 0 && afterMs > 0 ? `+${formatDurationMs(afterMs)}` : '',
      ...row,
    }));
  });
  const table = renderTable<StepRow>(
    [
      { heading: 'STEP', text: ({ step }) => step },
      { heading: 'AFTER', text: ({ after }) => after },
      { heading: 'TASK', text: ({ task }) => task },
      { heading: 'WHAT', text: ({ what }) => what },
    ],
    rows,
  );
  const left = steps.length - MOST_STEPS;
  return left > 0 ? `${table}and ${plural(left, 'more step')} (see -o json)\n` : table;
}

function moveWords({ action, from, to, why }: PlannedMove, nodeName: NodeNames): string {
  const old = from === undefined ? 'no node' : nodeName(from);
  const next = to === undefined ? 'no node' : nodeName(to);
  const way = from === to ? `on ${next}` : `${old} -> ${next}`;
  switch (action) {
    case 'create':
      return to === undefined ? 'new, finds no node' : `new on ${next}`;
    case 'place':
      return `finds a node: ${next}`;
    case 'update':
      return `replaced ${way}`;
    case 'move':
      return `moved ${way}${reasonWords(why, from, nodeName)}`;
    case 'stay':
      return `stays on ${old} until it finds another node${reasonWords(why, from, nodeName)}`;
    case 'stop':
      return `stopped on ${old}`;
  }
}

/** Managers name nodes by id, people by host name. */
function reasonWords(why: string | undefined, id: string | undefined, nodeName: NodeNames): string {
  if (why === undefined) return '';
  return ` (${id === undefined ? why : why.replaceAll(id, nodeName(id))})`;
}

function placementTable({ services }: Planned, nodeName: NodeNames): string {
  if (services.length === 0) return '';
  return renderTable<PlannedService>(
    [
      { heading: 'SERVICE', text: ({ service }) => service },
      { heading: 'BEFORE', text: ({ before }) => share(before) },
      { heading: 'AFTER', text: ({ after }) => share(after) },
      { heading: 'NODES AFTER', text: ({ after }) => nodesWords(after.nodes, nodeName) },
      { heading: 'UPDATE', text: ({ update }) => update?.state ?? '-' },
    ],
    services,
  );
}

const share = ({ placed, tasks }: PlannedService['before']): string =>
  `${String(placed)}/${String(tasks)}`;

function nodesWords(nodes: Readonly<Record<string, number>>, nodeName: NodeNames): string {
  const all = Object.entries(nodes)
    .map(([id, count]) => ({ name: nodeName(id), count }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const shown = all
    .slice(0, MOST_NODES)
    .map(({ name, count }) => (count === 1 ? name : `${name} x${String(count)}`));
  if (all.length === 0) return '-';
  return all.length > MOST_NODES
    ? `${shown.join(', ')} and ${String(all.length - MOST_NODES)} more`
    : shown.join(', ');
}

function unplacedParts({
  service,
  unplacedBefore,
  unplacedAfter,
}: PlannedService): readonly string[] {
  const ofBefore = unplacedBefore.map((each) =>
    unplacedBlock(each, `Without a node before, of ${service}: ${taskNames(each)}`),
  );
  const ofAfter = unplacedAfter.map((each) =>
    unplacedBlock(each, `Without a node after, of ${service}: ${taskNames(each)}`),
  );
  return [...ofBefore, ...ofAfter];
}

function noteLines({ services, settled }: Planned): string {
  const updates = services.flatMap(({ service, update }) =>
    update === undefined || update.state === 'completed'
      ? []
      : [`The update of ${service} ends as ${update.state}: ${update.message}`],
  );
  const coarse = services.flatMap(({ service, atOnce }) =>
    atOnce === undefined
      ? []
      : [
          `${service} has more slots than can be tried one by one: ${String(atOnce)} were tried at once, so it takes more steps and waits than shown.`,
        ],
  );
  const cut = settled
    ? []
    : ['This is not all: the plan was not followed to its end, which is too far off.'];
  return [...updates, ...coarse, ...cut].map((line) => `${line}\n`).join('');
}
