/**
 * Loaded into a program (`node --import`) whose machine's clock shall be wrong: all it hears of the time of day
 * is shifted, while durations stay what they are. The kernel has one time of day for all its namespaces.
 */
const shiftMs = Number(process.env.SWARM_LAB_CLOCK_SHIFT_MS ?? 0);
const RightDate = Date;

const shiftedNow = () => RightDate.now() + shiftMs;

globalThis.Date = new Proxy(RightDate, {
  construct: (target, given, self) =>
    Reflect.construct(target, given.length === 0 ? [shiftedNow()] : given, self),
  apply: () => new RightDate(shiftedNow()).toString(),
  get: (target, name) => (name === 'now' ? shiftedNow : Reflect.get(target, name)),
});
