import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { InvalidObjectError, TerminalError } from '../base/index.js';
import type { KeyEncryptionKey } from './key-file.js';

/** Bytes encrypted with AES-256-GCM; all parts base64. */
export interface SealedBytes {
  readonly nonce: string;
  readonly ciphertext: string;
  readonly tag: string;
}

/**
 * A secret as it is stored: encrypted with a data key of its own, which is wrapped by the key
 * encryption key. Exchanging that key wraps data keys again and leaves the ciphertexts alone.
 */
export interface Sealed extends SealedBytes {
  /** Version of this form. */
  readonly v: 1;
  readonly alg: 'A256GCM';
  /** Which key encryption key wraps the data key. */
  readonly keyId: string;
  /** The wrapped data key. */
  readonly dataKey: SealedBytes;
}

/** Encrypts what may not be readable in etcd. */
export interface Sealer {
  /** `context` says what and whose this is (`/swarm/cluster#ca-key`); the same text must be given to open it. */
  seal(plaintext: string | Uint8Array, context: string): Sealed;
  /**
   * Decrypts. Errors: TerminalError with reason `EncryptionKeyMismatch` when it was sealed with a
   * key that this process does not have; InvalidObjectError when it was altered or belongs elsewhere.
   */
  open(sealed: Sealed, context: string): Buffer;
  /** Wraps the data key with the current key if another one did; else returns the same object. */
  rewrap(sealed: Sealed, context: string): Sealed;
}
/** Injection token of {@link Sealer}. */
export const Sealer = Symbol('Sealer');

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealer that seals with `current` and also opens what `previous` keys sealed. */
export function createSealer(
  current: KeyEncryptionKey,
  previous: readonly KeyEncryptionKey[] = [],
): Sealer {
  return new EnvelopeSealer(current, previous);
}

class EnvelopeSealer implements Sealer {
  constructor(
    private readonly current: KeyEncryptionKey,
    private readonly previous: readonly KeyEncryptionKey[],
  ) {}

  seal(plaintext: string | Uint8Array, context: string): Sealed {
    const dataKey = randomBytes(KEY_BYTES);
    return {
      v: 1,
      alg: 'A256GCM',
      keyId: this.current.id,
      dataKey: encrypt(this.current.reveal(), dataKey, wrapContext(context)),
      ...encrypt(dataKey, Buffer.from(plaintext as Uint8Array), context),
    };
  }

  open(sealed: Sealed, context: string): Buffer {
    return decrypt(this.unwrap(sealed, context), sealed, context);
  }

  rewrap(sealed: Sealed, context: string): Sealed {
    const dataKey = this.unwrap(sealed, context);
    if (sealed.keyId === this.current.id) return sealed;
    const wrapped = encrypt(this.current.reveal(), dataKey, wrapContext(context));
    return { ...sealed, keyId: this.current.id, dataKey: wrapped };
  }

  private unwrap(sealed: Sealed, context: string): Buffer {
    const { v, alg, keyId } = sealed as { v: unknown; alg: unknown; keyId: string };
    if (v !== 1 || alg !== 'A256GCM') {
      throw new InvalidObjectError(
        `sealed in a form that is not known: v ${String(v)}, alg ${String(alg)}`,
      );
    }
    return decrypt(this.keyOf(keyId).reveal(), sealed.dataKey, wrapContext(context));
  }

  private keyOf(keyId: string): KeyEncryptionKey {
    const key = [this.current, ...this.previous].find(({ id }) => id === keyId);
    if (key) return key;
    throw new TerminalError(
      'EncryptionKeyMismatch',
      `sealed with encryption key ${keyId}, but this manager has key ${this.current.id}: ` +
        'give it the key file that the cluster was made with',
    );
  }
}

/** A wrapped key may not pass for a secret of the same context. */
function wrapContext(context: string): string {
  return `data key of ${context}`;
}

function encrypt(key: Uint8Array, plaintext: Uint8Array, context: string): SealedBytes {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return {
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

function decrypt(key: Uint8Array, sealed: SealedBytes, context: string): Buffer {
  try {
    const nonce = Buffer.from(sealed.nonce, 'base64');
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(Buffer.from(sealed.tag, 'base64'));
    return Buffer.concat([
      decipher.update(Buffer.from(sealed.ciphertext, 'base64')),
      decipher.final(),
    ]);
  } catch {
    // OpenSSL's reason says nothing ("unable to authenticate data"), so it is not carried.
    throw new InvalidObjectError(`the sealed value of ${context} was altered or belongs elsewhere`);
  }
}
