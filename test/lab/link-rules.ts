/** What is wrong with the wire from some machines to others, one way only. */
export interface LinkFault {
  /** Names of machines; undefined: all of them, and the person who watches. */
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  /** The share of packets that is lost: 1 is a cut, which answers nothing and closes nothing. */
  readonly loss: number;
}

/** The address of a machine by its name. Errors: when there is none of the name. */
export type AddressOf = (name: string) => string;

/** Loss is told to the kernel in so many parts. */
const PARTS = 1_000;

/** The rules of the switch that every frame between two machines passes, as `nft -f` takes them. */
export function linkRules(faults: readonly LinkFault[], addressOf: AddressOf): string {
  const rules = faults.filter(isFelt).map((fault) => `    ${ruleOf(fault, addressOf)}`);
  return [
    // made, so that it can be deleted in the same transaction whether it was there or not
    'table bridge lab {}',
    'delete table bridge lab',
    'table bridge lab {',
    '  chain forward {',
    '    type filter hook forward priority 0; policy accept;',
    ...rules,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Nothing is lost between nobody and somebody. */
function isFelt({ from, to, loss }: LinkFault): boolean {
  return loss > 0 && from?.length !== 0 && to?.length !== 0;
}

function ruleOf({ from, to, loss }: LinkFault, addressOf: AddressOf): string {
  const lost = Math.round(Math.min(loss, 1) * PARTS);
  return [
    ...(from ? [`ip saddr ${setOf(from, addressOf)}`] : []),
    ...(to ? [`ip daddr ${setOf(to, addressOf)}`] : []),
    // Without addresses nothing would say that it is about IP, and ARP has to get through.
    ...(from || to ? [] : ['ether type ip']),
    ...(lost < PARTS ? [`numgen random mod ${String(PARTS)} < ${String(lost)}`] : []),
    'counter drop',
  ].join(' ');
}

const setOf = (names: readonly string[], addressOf: AddressOf): string =>
  `{ ${names.map(addressOf).join(', ')} }`;

/** Both ways. */
export function cutBetween(
  some: readonly string[] | undefined,
  others: readonly string[] | undefined,
): readonly LinkFault[] {
  return [oneWay(some, others), oneWay(others, some)];
}

/** From some to others, and not back. */
export function oneWay(
  from: readonly string[] | undefined,
  to: readonly string[] | undefined,
  loss = 1,
): LinkFault {
  return { ...(from && { from }), ...(to && { to }), loss };
}
