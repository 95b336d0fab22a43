import type { InjectionToken } from 'tsyringe';
import type { Keys } from '../../pkg/store/index.js';

/** The key layout is a plain value of its package, so its token is made here. */
export const KeysToken: InjectionToken<Keys> = Symbol('Keys');
