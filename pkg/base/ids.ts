import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Ids of the things they name; branded, so that one cannot be passed for another. */
export type TaskId = Branded<'TaskId'>;
export type NodeId = Branded<'NodeId'>;
export type ManagerId = Branded<'ManagerId'>;
export type ClusterId = Branded<'ClusterId'>;
/** Tells one object from a later one of the same name. */
export type Uid = Branded<'Uid'>;
/** Marks one write, so that a lost reply can be told from a lost race. */
export type WriteId = Branded<'WriteId'>;

const ID_LENGTH = 25;

/** 25 characters of base 36, as Docker writes its swarm ids: 129 bits of randomness. */
function randomId(): string {
  const value = BigInt(`0x${randomBytes(17).toString('hex')}`);
  return value.toString(36).padStart(ID_LENGTH, '0').slice(-ID_LENGTH);
}

/** Make a fresh random id. */
export const newTaskId = (): TaskId => randomId() as TaskId;
export const newNodeId = (): NodeId => randomId() as NodeId;
export const newManagerId = (): ManagerId => randomId() as ManagerId;
export const newClusterId = (): ClusterId => randomId() as ClusterId;
export const newUid = (): Uid => randomId() as Uid;
export const newWriteId = (): WriteId => randomBytes(9).toString('base64url') as WriteId;
