import { join } from 'node:path';
import { engineAnswers } from '../../deploy/local/engine.js';
import type { EtcdCertificateFiles } from '../fixtures/certificates.js';
import { programPath } from '../fixtures/program.js';
import type { MachinePlan } from './lab-state.js';
import type { Machine } from './machine.js';
import { healthAt, type Program } from './part.js';

const API_PORT = 2377;
const MANAGER_METRICS_PORT = 2376;
const AGENT_METRICS_PORT = 2378;
const ETCD_PORT = 2379;
const ETCD_PEER_PORT = 2380;
const ETCD_METRICS_PORT = 2381;

/** Where a manager's API is. */
export const apiAddress = ({ address }: MachinePlan): string => `${address}:${String(API_PORT)}`;
/** What a client of a member of etcd is given. */
export const etcdUrl = ({ address }: MachinePlan): string =>
  `https://${address}:${String(ETCD_PORT)}`;
/** What Prometheus would scrape. */
export const metricsUrl = ({ kind, address }: MachinePlan): string => {
  const ports = {
    host: AGENT_METRICS_PORT,
    manager: MANAGER_METRICS_PORT,
    etcd: ETCD_METRICS_PORT,
  };
  return `http://${address}:${String(ports[kind])}/metrics`;
};
/** The socket of a host's engine, as seen from here. */
export const engineSocket = (machine: Machine): string => join(machine.runFolder, 'docker.sock');
/** Where an agent keeps who it is. */
export const agentState = (machine: Machine): string => join(machine.folder, 'agent');
/** Where a manager keeps its key. */
export const managerState = (machine: Machine): string => join(machine.folder, 'manager');

/** Where a member of etcd keeps its data. */
export const etcdData = (machine: Machine): string => join(machine.folder, 'etcd');

/** What a manager is told of etcd. */
export function etcdFlags(
  members: readonly MachinePlan[],
  files: EtcdCertificateFiles,
): readonly string[] {
  return [
    ...['--etcd-endpoints', members.map(etcdUrl).join(',')],
    ...['--etcd-cacert', files.ca, '--etcd-cert', files.clientCert, '--etcd-key', files.clientKey],
  ];
}

/** A Docker Engine as an operator would set it up; it keeps containers while it restarts. */
export function engineProgram(machine: Machine): Program {
  const containerd = join(machine.runFolder, 'docker/containerd/containerd.pid');
  return {
    part: 'engine',
    program: 'dockerd',
    args: [
      ...[`--data-root=${join(machine.folder, 'docker')}`, '--live-restore'],
      ...['--exec-opt=native.cgroupdriver=cgroupfs', `--cgroup-parent=${machine.cgroup}`],
      '--shutdown-timeout=5',
    ],
    // A containerd of its own is a child of dockerd, and systemd ends both.
    withChildren: true,
    pidFiles: [join(machine.runFolder, 'docker.pid'), containerd],
    isReady: (signal) => engineAnswers(`unix://${engineSocket(machine)}`, signal),
  };
}

export function agentProgram(machine: Machine): Program {
  const metrics = `${machine.address}:${String(AGENT_METRICS_PORT)}`;
  return {
    part: 'agent',
    program: process.execPath,
    args: [
      ...[programPath('swarm-agent'), 'run', '--state-dir', agentState(machine)],
      ...['--metrics-listen', metrics],
    ],
    isReady: healthAt(`http://${metrics}/readyz`),
  };
}

export function managerProgram(machine: Machine, etcd: readonly string[]): Program {
  const api = apiAddress(machine.plan);
  const metrics = `${machine.address}:${String(MANAGER_METRICS_PORT)}`;
  return {
    part: 'manager',
    program: process.execPath,
    args: [
      ...[programPath('swarm-manager'), 'run', '--state-dir', managerState(machine)],
      ...['--listen', api, '--advertise', api, '--metrics-listen', metrics, ...etcd],
    ],
    isReady: healthAt(`http://${metrics}/readyz`),
  };
}

const peerUrl = ({ address }: MachinePlan) => `https://${address}:${String(ETCD_PEER_PORT)}`;

/** How a member of etcd is told who it is and who the others are; `etcdctl snapshot restore` takes the same. */
export const membershipFlags = (
  plan: MachinePlan,
  members: readonly MachinePlan[],
): readonly string[] => [
  ...[`--name=${plan.name}`, `--initial-advertise-peer-urls=${peerUrl(plan)}`],
  `--initial-cluster=${members.map((each) => `${each.name}=${peerUrl(each)}`).join(',')}`,
];

/** A member of etcd, as docs/operations.md tells operators to run it. */
export function etcdProgram(
  machine: Machine,
  members: readonly MachinePlan[],
  files: EtcdCertificateFiles,
): Program {
  const { plan, address } = machine;
  const metrics = `http://${address}:${String(ETCD_METRICS_PORT)}`;
  return {
    part: 'etcd',
    program: 'etcd',
    args: [
      ...[`--data-dir=${etcdData(machine)}`, '--log-level=warn'],
      ...[`--listen-client-urls=${etcdUrl(plan)}`, `--advertise-client-urls=${etcdUrl(plan)}`],
      `--listen-peer-urls=${peerUrl(plan)}`,
      ...membershipFlags(machine.plan, members),
      `--listen-metrics-urls=${metrics}`,
      ...['--auto-compaction-mode=periodic', '--auto-compaction-retention=15m'],
      '--experimental-watch-progress-notify-interval=10s',
      ...['--client-cert-auth', `--trusted-ca-file=${files.ca}`],
      ...[`--cert-file=${files.serverCert}`, `--key-file=${files.serverKey}`],
      ...['--peer-client-cert-auth', `--peer-trusted-ca-file=${files.ca}`],
      ...[`--peer-cert-file=${files.serverCert}`, `--peer-key-file=${files.serverKey}`],
    ],
    isReady: healthAt(`${metrics}/health`),
  };
}
