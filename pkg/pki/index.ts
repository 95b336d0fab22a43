/** Who is who: root, certificates, join tokens, identities of TLS peers, and sealing of secrets at rest. */
export * from './authority.js';
export * from './certificate.js';
export { createCsr } from './csr.js';
export * from './identity.js';
export * from './join-token.js';
export * from './key-file.js';
export { generateKey, keyMatchesCertificate } from './keys.js';
export * from './sealing.js';
export * from './tls.js';
