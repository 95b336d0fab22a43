import type { Command } from 'commander';
import { withCluster, type Cli, type Session } from '../cli.js';
import {
  configPath,
  readConfig,
  requireContext,
  withContext,
  writeConfig,
} from '../context/config-file.js';
import { defineCommand } from './define-command.js';

/** `swarmctl config renew`. */
export function renewCommand(cli: Cli): Command {
  return defineCommand({
    name: 'renew',
    summary: 'Get a new certificate for a context',
    description:
      'Makes a new key and lets the cluster certify it for the same person. The old certificate must not have ended; the new one lasts as long as the cluster says (swarmctl explain cluster.spec.certificateExpiry).',
    examples: [
      ['For the current context', 'swarmctl config renew'],
      ['For another one', 'swarmctl config renew --context production'],
    ],
  }).action((_options: object, command: Command) => {
    const { context } = command.optsWithGlobals<{ readonly context?: string }>();
    return withCluster(cli, command, (session) => renew(session, context));
  });
}

/** The file is read again at the end: it may have been changed while the cluster was asked. */
async function renew({ api, streams }: Session, name: string | undefined): Promise<void> {
  const path = configPath(streams.env);
  const wanted = requireContext(readConfig(path), name).name;
  const { createCsr, generateKey, parseCertificate } = await import('../../../pkg/pki/index.js');
  const key = await generateKey();
  const csr = await createCsr(key);
  const { certificate, caCertificate } = await api.renew(csr, { signal: streams.interrupted });
  const config = readConfig(path);
  const context = { ...requireContext(config, wanted), certificate, key, ca: caCertificate };
  const { currentContext } = config;
  writeConfig(path, {
    ...withContext(config, context),
    ...(currentContext !== undefined && { currentContext }),
  });
  const { notAfter } = parseCertificate(certificate);
  streams.out(`context ${wanted} renewed; valid until ${notAfter.toISOString()}\n`);
}
