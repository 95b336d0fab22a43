import { Type, type Static } from 'typebox';
import { duration } from './common.js';
import { ExecAction, HttpAction } from './probes.js';

const closed = { additionalProperties: false } as const;

/** Something done once at a point of a container's life. */
export const Hook = Type.Object(
  {
    exec: Type.Optional(ExecAction),
    http: Type.Optional(HttpAction),
    sleep: Type.Optional(duration({ description: 'Just wait so long.' })),
  },
  {
    ...closed,
    oneOfMembers: ['exec', 'http', 'sleep'],
    description: 'Exactly one of exec, http and sleep.',
  },
);
export type Hook = Static<typeof Hook>;

/** What is done at points of a container's life. */
export const Hooks = Type.Object(
  {
    preStop: Type.Optional({
      ...Hook,
      description:
        'Before the stop signal, when the task is out of service already. Part of stopGracePeriod, of which the signal keeps the last 2s (half of it when shorter). May run again when the agent restarts meanwhile.',
    }),
  },
  { ...closed, description: "What is done at points of a container's life." },
);
export type Hooks = Static<typeof Hooks>;

/** The part of a stop grace period that a preStop hook leaves to the stop signal. */
const SIGNAL_SHARE_MS = 2_000;

/** How long a preStop hook may take, of a stop grace period. Milliseconds. */
export function preStopBudgetMs(stopGraceMs: number): number {
  return stopGraceMs - Math.min(SIGNAL_SHARE_MS, stopGraceMs / 2);
}
