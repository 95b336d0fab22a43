import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';

/**
 * What code finds around it when it asks nobody: a machine's clocks, timers and randomness. Code that takes
 * its clock and its dice by injection needs none of this; code that forgot to is as repeatable as the rest.
 *
 * Importing this file replaces them for the whole process, before anybody can have kept a copy: whoever
 * starts a process of the simulation imports it first of all. Outside of a world everything is as ever.
 */
export interface Surroundings {
  random(): number;
  bytes(count: number): Buffer;
  /** Milliseconds since 1970. */
  wallMs(): number;
  monotonicMs(): number;
  /** Runs `work` after `ms`; returns how to cancel it. */
  after(ms: number, work: () => void): () => void;
}

let world: Surroundings | undefined;

/** From now on code finds this around it; undefined: the real machine. */
export function surround(surroundings: Surroundings | undefined): void {
  world = surroundings;
}

type BytesCallback = (error: Error | null, bytes: Buffer) => void;

const real = {
  random: Math.random,
  now: Date.now,
  monotonic: performance.now.bind(performance),
  randomBytes: crypto.randomBytes as (count: number, callback?: BytesCallback) => unknown,
  randomUUID: crypto.randomUUID,
  setTimeout,
  setImmediate,
  clearTimeout,
  clearImmediate,
  timeoutPromise: timersPromises.setTimeout,
  immediatePromise: timersPromises.setImmediate,
};

/** A turn of the process's own event loop, for whoever drives the world. */
export const realTurn = (): Promise<void> =>
  new Promise((resolve) => void real.setImmediate(resolve));

/** Bounds of a timer of Node's. */
const [LEAST_TIMER_MS, MOST_TIMER_MS] = [1, 2 ** 31 - 1];

type Work = (...values: unknown[]) => void;

/** As much of Node's timer objects as anybody uses. */
class Timer {
  private readonly cancel: () => void;

  constructor(around: Surroundings, ms: number, work: () => void) {
    this.cancel = around.after(ms, work);
  }

  close(): this {
    this.cancel();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

const timerMs = (ms = 0): number => Math.min(MOST_TIMER_MS, Math.max(LEAST_TIMER_MS, ms));

function later(work: Work, ms?: number, ...values: unknown[]): unknown {
  if (!world) return real.setTimeout(work, ms, ...values);
  return new Timer(world, timerMs(ms), () => {
    work(...values);
  });
}

function soon(work: Work, ...values: unknown[]): unknown {
  if (!world) return real.setImmediate(work, ...values);
  return new Timer(world, 0, () => {
    work(...values);
  });
}

const cancelling =
  (cancelReal: (timer: never) => void) =>
  (timer: unknown): void => {
    if (timer instanceof Timer) timer.close();
    else cancelReal(timer as never);
  };

function laterPromise(ms?: number, value?: unknown, options?: object): Promise<unknown> {
  const around = world;
  if (!around) return real.timeoutPromise(ms, value, options);
  return new Promise((resolve) => {
    around.after(timerMs(ms), () => {
      resolve(value);
    });
  });
}

function soonPromise(value?: unknown, options?: object): Promise<unknown> {
  const around = world;
  if (!around) return real.immediatePromise(value, options);
  return new Promise((resolve) => {
    around.after(0, () => {
      resolve(value);
    });
  });
}

function randomBytes(count: number, callback?: BytesCallback): unknown {
  if (!world) return real.randomBytes(count, callback);
  const bytes = world.bytes(count);
  if (!callback) return bytes;
  world.after(0, () => {
    callback(null, bytes);
  });
  return undefined;
}

function randomUuid(): string {
  if (!world) return real.randomUUID();
  const hex = world.bytes(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

const GIB = 2 ** 30;

Math.random = () => (world ? world.random() : real.random());
Date.now = () => (world ? world.wallMs() : real.now());
performance.now = () => (world ? world.monotonicMs() : real.monotonic());
Object.assign(crypto, { randomBytes, randomUUID: randomUuid });
// An agent whose engine does not answer describes the machine it runs on.
Object.assign(os, {
  totalmem: () => 8 * GIB,
  cpus: () => Array.from({ length: 4 }, () => ({ model: 'simulated' })),
  release: () => '6.1.0',
});
const replaced = {
  setTimeout: later,
  setImmediate: soon,
  clearTimeout: cancelling(real.clearTimeout),
  clearImmediate: cancelling(real.clearImmediate),
};
Object.assign(globalThis, replaced);
Object.assign(timers, replaced);
Object.assign(timersPromises, { setTimeout: laterPromise, setImmediate: soonPromise });
syncBuiltinESMExports();
