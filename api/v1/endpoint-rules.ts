import type { ContainerSpec } from './container.js';
import type { Endpoint, Port } from './endpoint.js';
import { fieldPath } from './problems.js';
import { NOT_SUPPORTED_YET, type Report } from './report.js';

/** What an endpoint must keep beyond its schema. */
export function endpointRules(
  endpoint: Endpoint | undefined,
  container: ContainerSpec,
  report: Report,
): void {
  if (endpoint?.mode === 'dnsrr') report('spec.endpoint.mode', `dnsrr is ${NOT_SUPPORTED_YET}`);
  const ports = endpoint?.ports ?? [];
  checkPorts(ports, report);
  const { networkMode = 'default' } = container;
  if (ports.length > 0 && ['host', 'none'].includes(networkMode)) {
    report(
      'spec.endpoint.ports',
      `a container with networkMode ${networkMode} cannot publish ports`,
    );
  }
}

function checkPorts(ports: readonly Port[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { mode, published, protocol = 'tcp' }] of ports.entries()) {
    const path = fieldPath('spec.endpoint.ports', index);
    if (mode !== 'host') {
      report(`${path}.mode`, `ingress (the default) is ${NOT_SUPPORTED_YET}; write mode: host`);
    }
    if (published === undefined) continue;
    const key = `${String(published)}/${protocol}`;
    if (seen.has(key)) report(`${path}.published`, `${key} is published twice`);
    seen.add(key);
  }
}
