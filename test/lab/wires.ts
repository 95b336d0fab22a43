import type { LabStateFile } from './lab-state.js';
import { cutBetween, oneWay, type AddressOf, type LinkFault } from './link-rules.js';
import type { LabNetwork } from './network.js';

/** Which way nothing gets through, as seen from a machine. */
export type Way = 'in' | 'out' | 'both';

/** What is wrong with the wire of a lab, on top of each other until it is mended. */
export class Wires {
  constructor(
    private readonly network: LabNetwork,
    private readonly state: LabStateFile,
    private readonly addressOf: AddressOf,
  ) {}

  get faults(): readonly LinkFault[] {
    return this.state.value.links;
  }

  /** Adds faults to those that are there. */
  async add(...faults: readonly LinkFault[]): Promise<void> {
    await this.become([...this.faults, ...faults]);
  }

  /** Cuts some machines off from others, or from everybody. */
  async cut(some: readonly string[], others?: readonly string[], way: Way = 'both'): Promise<void> {
    if (way === 'both') await this.add(...cutBetween(some, others));
    else await this.add(way === 'in' ? oneWay(others, some) : oneWay(some, others));
  }

  /** Mends all of it; with `names`, only what concerns these machines by name. */
  async mend(names?: readonly string[]): Promise<void> {
    const concerns = ({ from, to }: LinkFault) =>
      names === undefined || [...(from ?? []), ...(to ?? [])].some((name) => names.includes(name));
    await this.become(this.faults.filter((fault) => !concerns(fault)));
  }

  private async become(links: readonly LinkFault[]): Promise<void> {
    await this.state.change({ links });
    await this.network.apply(links, this.addressOf);
  }
}
