/** The node's own loop: makes one Docker Engine run what managers assign to this node. */
export { NodeAgent } from './node-agent.js';
export type { AgentEnd, AgentState, NodeAgentOptions } from './node-agent.js';
export { joinNode } from './join-node.js';
export type { JoinNodeOptions } from './join-node.js';
export { NodeState } from './node-state.js';
export type { NodeCredentials, NodeIdentity } from './node-state.js';
export { assertCertificateValid } from './certificate-keeper.js';
export { machineName } from './node-description.js';
export type { Managers, Session } from './session-keeper.js';
export { CONTAINER_LABEL } from './container-body.js';
