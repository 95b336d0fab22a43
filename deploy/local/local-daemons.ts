import { Daemons } from './daemons.js';
import { LAYOUT } from './layout.js';

/** The processes of the local cluster of this checkout. */
export const localDaemons = new Daemons(LAYOUT.run);
