import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from '../../pkg/base/index.js';
import {
  createKeyFile,
  keyMatchesCertificate,
  loadKeyFile,
  type KeyEncryptionKey,
} from '../../pkg/pki/index.js';

/** Who this manager is, as PEM. */
export interface ManagerCredentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

const OWNER_ONLY = 0o600;
const OWNER_FOLDER = 0o700;

/** The files of one manager. */
export class StateFolder {
  readonly keyFile: string;
  readonly adminContextFile: string;
  private readonly tlsFiles: Readonly<Record<keyof ManagerCredentials, string>>;

  constructor(private readonly folder: string) {
    this.keyFile = join(folder, 'encryption.key');
    this.adminContextFile = join(folder, 'admin.yaml');
    this.tlsFiles = {
      cert: join(folder, 'tls', 'certificate.pem'),
      key: join(folder, 'tls', 'key.pem'),
      ca: join(folder, 'tls', 'ca.pem'),
    };
  }

  /** The encryption key. Errors: NotFoundError, InvalidObjectError. */
  loadKey(): Promise<KeyEncryptionKey> {
    return loadKeyFile(this.keyFile);
  }

  /** The encryption key; a new one when there is none. One that exists is never replaced. */
  async ensureKey(): Promise<KeyEncryptionKey> {
    await mkdir(this.folder, { recursive: true, mode: OWNER_FOLDER });
    try {
      return await createKeyFile(this.keyFile);
    } catch (error) {
      if (!hasCode(error, 'ERR_ALREADY_EXISTS')) throw error;
      return this.loadKey();
    }
  }

  /** The certificate of this manager; undefined when it has none, or a half written one. */
  async loadCredentials(): Promise<ManagerCredentials | undefined> {
    const { cert, key, ca } = this.tlsFiles;
    const texts = await Promise.all([readIfThere(cert), readIfThere(key), readIfThere(ca)]);
    const [certText, keyText, caText] = texts;
    if (certText === undefined || keyText === undefined || caText === undefined) return undefined;
    if (!keyMatchesCertificate(keyText, certText)) return undefined;
    return { cert: certText, key: keyText, ca: caText };
  }

  /** Keeps a certificate. A crash in between leaves a pair that does not match: it is then made again. */
  async saveCredentials({ cert, key, ca }: ManagerCredentials): Promise<void> {
    await writePrivateFile(this.tlsFiles.ca, ca);
    await writePrivateFile(this.tlsFiles.key, key);
    await writePrivateFile(this.tlsFiles.cert, cert);
  }

  /** Forgets the certificate: the cluster it was made for did not come into being. */
  async removeCredentials(): Promise<void> {
    await rm(dirname(this.tlsFiles.cert), { recursive: true, force: true });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces a file as a whole; only its owner may read it. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: OWNER_FOLDER });
  const draft = `${path}.${String(process.pid)}.tmp`;
  const file = await open(draft, 'w', OWNER_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
