import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { AlreadyExistsError, InvalidObjectError, NotFoundError, messageOf } from '../base/index.js';

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * The key that wraps every data key in etcd. It lives in a file on the managers' hosts and never in
 * etcd; it does not show its bytes to logs, JSON or inspection.
 */
export class KeyEncryptionKey {
  /** Names the key without telling it: 16 hex digits. */
  readonly id: string;
  readonly #bytes: Uint8Array;

  /** Takes 32 random bytes. Throws InvalidObjectError for another length. */
  constructor(bytes: Uint8Array) {
    if (bytes.byteLength !== KEY_BYTES) {
      const found = String(bytes.byteLength);
      throw new InvalidObjectError(
        `an encryption key has ${String(KEY_BYTES)} bytes, found ${found}`,
      );
    }
    this.#bytes = Uint8Array.from(bytes);
    this.id = createHash('sha256')
      .update('swarmkeeper kek')
      .update(bytes)
      .digest('hex')
      .slice(0, 16);
  }

  /** A new random key. */
  static generate(): KeyEncryptionKey {
    return new KeyEncryptionKey(randomBytes(KEY_BYTES));
  }

  /** The bytes, for the cipher only. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /** What JSON and logs see. */
  toJSON(): { readonly id: string } {
    return { id: this.id };
  }
}

/**
 * Makes a new key file (base64, mode 0600). Never replaces one: everything sealed with the old key
 * would be lost. Errors: AlreadyExistsError.
 */
export async function createKeyFile(path: string): Promise<KeyEncryptionKey> {
  const key = KeyEncryptionKey.generate();
  const file = await open(path, 'wx', OWNER_ONLY).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new AlreadyExistsError(`the encryption key file ${path} exists already`);
  });
  try {
    await file.writeFile(`${Buffer.from(key.reveal()).toString('base64')}\n`);
    await file.sync(); // the cluster cannot be opened without it, so it must survive a power cut
  } finally {
    await file.close();
  }
  return key;
}

/**
 * Reads a key file. Errors: NotFoundError; InvalidObjectError when it is not 32 bytes of base64, or
 * when others than its owner may read or write it.
 */
export async function loadKeyFile(path: string): Promise<KeyEncryptionKey> {
  const { mode, text } = await readKeyFile(path);
  if ((mode & OTHERS) !== 0) {
    const found = (mode & 0o777).toString(8).padStart(4, '0');
    throw new InvalidObjectError(
      `the encryption key file ${path} has mode ${found}, which lets others read it: chmod 600 it`,
    );
  }
  if (!/^[A-Za-z0-9+/]{43}=\s*$/.test(text)) {
    throw new InvalidObjectError(
      `the encryption key file ${path} must hold ${String(KEY_BYTES)} bytes in base64 on one line`,
    );
  }
  return new KeyEncryptionKey(Buffer.from(text.trim(), 'base64'));
}

async function readKeyFile(
  path: string,
): Promise<{ readonly mode: number; readonly text: string }> {
  try {
    const { mode } = await stat(path);
    return { mode, text: await readFile(path, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new NotFoundError(
        `the encryption key file ${path} does not exist; every manager needs a copy of the one that init made`,
      );
    }
    throw new InvalidObjectError(
      `the encryption key file ${path} cannot be read: ${messageOf(error)}`,
    );
  }
}
