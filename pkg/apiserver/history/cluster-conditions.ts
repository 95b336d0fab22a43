import type { Condition } from '../../../api/v1/index.js';
import type { Clock } from '../../base/index.js';
import type { World } from '../../objects/index.js';
import type { StoreTrouble } from '../../store/index.js';
import type { LostHistory } from '../sessions/lost-history.js';

/** What the conditions are made of. */
export interface ClusterConditionsOptions {
  readonly world: World;
  readonly clock: Clock;
  readonly history: Pick<LostHistory, 'frozen'>;
  /** Worst first; undefined while nobody has looked. */
  readonly storeTroubles: () => readonly StoreTrouble[] | undefined;
}

/** A finding; since when it stands is added. */
type Finding = Omit<Condition, 'changedAt'>;

/**
 * What this manager finds about the cluster as a whole. Nothing of it is stored: while the store is in trouble,
 * it could not be.
 */
export class ClusterConditions {
  private readonly standing = new Map<string, Condition>();

  constructor(private readonly options: ClusterConditionsOptions) {}

  /** All of them, as of now. */
  now(): readonly Condition[] {
    return [this.historyKept(), this.etcdHealthy()].map((finding) => this.dated(finding));
  }

  /** A condition stands since its status or reason changed, as far as anybody looked. */
  private dated(finding: Finding): Condition {
    const before = this.standing.get(finding.type);
    const stands = before?.status === finding.status && before.reason === finding.reason;
    const changedAt = stands ? before.changedAt : this.options.clock.now().toISOString();
    const condition = { ...finding, changedAt };
    this.standing.set(finding.type, condition);
    return condition;
  }

  private etcdHealthy(): Finding {
    const type = 'EtcdHealthy';
    const troubles = this.options.storeTroubles();
    if (!troubles) {
      return { type, status: 'unknown', reason: 'NotAsked', message: 'etcd was not asked yet' };
    }
    const [worst] = troubles;
    if (!worst) {
      return { type, status: 'true', reason: 'EtcdWell', message: 'every member of etcd is well' };
    }
    const message = troubles.map((trouble) => trouble.message).join('; ');
    const status = worst.isAdvice ? 'true' : 'false';
    return { type, status, reason: worst.reason, message };
  }

  private historyKept(): Finding {
    const { world, history } = this.options;
    const type = 'HistoryKept';
    const { historyBreak } = world.cache;
    const { frozen } = history;
    if (!historyBreak && frozen.length === 0) {
      const message = 'the store is the one that managers and nodes know';
      return { type, status: 'true', reason: 'StoreContinues', message };
    }
    const strangers = frozen.filter(({ known }) => !known).length;
    const parts = [
      ...(historyBreak ? [`seen by this manager (${historyBreak.reason})`] : []),
      ...(frozen.length > 0 ? [`frozen nodes: ${frozen.length}`] : []),
      ...(strangers > 0 ? [`unknown to the store: ${strangers}`] : []),
    ];
    const advice = 'look at what there is, then `swarmctl cluster accept-history`';
    const message = `the store lost history (${parts.join(', ')}); ${advice}`;
    return { type, status: 'false', reason: 'HistoryLost', message };
  }
}
