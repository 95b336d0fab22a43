import { chmod, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { JoinResponse, codec } from '../../api/v1/index.js';
import { InvalidObjectError, NotFoundError, messageOf } from '../base/index.js';
import { keyMatchesCertificate } from '../pki/index.js';
import { writeAtomic } from './write-atomic.js';

/** Who this node is; the content of `node.json`. */
export const NodeIdentity = Type.Object({
  nodeId: Type.String({ minLength: 1 }),
  clusterId: Type.String({ minLength: 1 }),
  role: JoinResponse.properties.role,
  hostname: Type.String({ minLength: 1 }),
  /** Addresses of managers: those of the join and those that managers told since. */
  managers: Type.Array(Type.String(), { minItems: 1 }),
});
export type NodeIdentity = Static<typeof NodeIdentity>;

/** PEM of who this node is and whom it trusts. */
export interface NodeCredentials {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

const identityCodec = codec<NodeIdentity>(NodeIdentity);
const OWNER_FOLDER = 0o700;

/** The folder in which an agent keeps who it is: `node.json` and `tls/{key,cert,ca}.pem`. */
export class NodeState {
  constructor(readonly folder: string) {}

  /** Where the agent keeps its copy of the assignments. */
  get assignmentsFile(): string {
    return this.path(ASSIGNMENTS);
  }

  /** The agent's copy of its assignments; undefined when there is none. */
  loadAssignments(): Promise<string | undefined> {
    return this.find(ASSIGNMENTS);
  }

  /** Replaces the copy of the assignments. A power cut may lose it: managers know better anyway. */
  async saveAssignments(text: string): Promise<void> {
    await writeAtomic(this.assignmentsFile, text, { durable: false });
  }

  /** Makes the folder, for its owner alone. */
  async prepare(): Promise<void> {
    await mkdir(this.tls(), { recursive: true, mode: OWNER_FOLDER });
    await chmod(this.folder, OWNER_FOLDER);
    await chmod(this.tls(), OWNER_FOLDER);
  }

  /** Who this node is, undefined when it has not joined. Errors: InvalidObjectError. */
  async findIdentity(): Promise<NodeIdentity | undefined> {
    const text = await this.find('node.json');
    if (text === undefined) return undefined;
    const value = parsed(text);
    if (identityCodec.check(value)) return value;
    throw new InvalidObjectError(`${this.path('node.json')} is damaged: ${REJOIN}`);
  }

  /** Errors: NotFoundError, which says how to join, when this node has not. */
  async requireIdentity(): Promise<NodeIdentity> {
    const identity = await this.findIdentity();
    if (identity) return identity;
    throw new NotFoundError(
      `no cluster was joined with the state folder ${this.folder}: run swarm-agent join first`,
    );
  }

  /** Written last of all: with it the node has joined. */
  async saveIdentity(identity: NodeIdentity): Promise<void> {
    await writeAtomic(this.path('node.json'), `${JSON.stringify(identity, undefined, 2)}\n`);
  }

  /** Errors: NotFoundError, InvalidObjectError when the files do not belong together. */
  async loadCredentials(): Promise<NodeCredentials> {
    const [cert, ca] = [await this.require('tls/cert.pem'), await this.require('tls/ca.pem')];
    return { key: await this.keyFor(cert), cert, ca };
  }

  /** Keeps the key of a certificate that is asked for; it becomes the key with the certificate. */
  async saveNextKey(key: string): Promise<void> {
    await writeAtomic(this.path(NEXT_KEY), key);
  }

  /** Keeps a new certificate for the key that was saved before. A crash in between loses neither. */
  async saveCertificate({ cert, ca }: Omit<NodeCredentials, 'key'>): Promise<void> {
    await writeAtomic(this.path('tls/ca.pem'), ca);
    await writeAtomic(this.path('tls/cert.pem'), cert);
    await rename(this.path(NEXT_KEY), this.path(KEY));
  }

  /** Forgets everything: this node belongs to no cluster any more. */
  async wipe(): Promise<void> {
    await rm(this.path('node.json'), { force: true });
    await rm(this.assignmentsFile, { force: true });
    await rm(this.tls(), { recursive: true, force: true });
  }

  /** The key that the certificate was made for; the next one when a renewal was cut short. */
  private async keyFor(cert: string): Promise<string> {
    for (const name of [KEY, NEXT_KEY]) {
      const key = await this.find(name);
      if (key === undefined || !keyMatchesCertificate(key, cert)) continue;
      if (name === NEXT_KEY) await rename(this.path(NEXT_KEY), this.path(KEY));
      return key;
    }
    throw new InvalidObjectError(`no key in ${this.tls()} belongs to the certificate: ${REJOIN}`);
  }

  private async require(name: string): Promise<string> {
    const text = await this.find(name);
    if (text !== undefined) return text;
    throw new NotFoundError(`${this.path(name)} is missing: ${REJOIN}`);
  }

  private async find(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.path(name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      const text = `${this.path(name)} cannot be read: ${messageOf(error)}`;
      throw new InvalidObjectError(text, [], { cause: error });
    }
  }

  private tls(): string {
    return this.path('tls');
  }

  private path(name: string): string {
    return join(this.folder, name);
  }
}

const ASSIGNMENTS = 'assignments.json';
const KEY = 'tls/key.pem';
const NEXT_KEY = 'tls/next-key.pem';

/** What helps when a node's own papers are of no use any more. */
export const REJOIN =
  'remove this node from the cluster (swarmctl node rm), empty its state folder and join again';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
