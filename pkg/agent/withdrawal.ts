/**
 * The moment between "out of service" and "being stopped". A task that is to stop is reported as not ready
 * first; whoever tells nodes where to send traffic takes it out of the endpoint tables then.
 */
export interface Withdrawal {
  /**
   * Resolves when no node sends this task anything new, or nobody should wait for that any longer: only
   * then its preStop hook and its stop signal come. Errors: the signal's reason.
   */
  withdrawn(taskId: string, signal: AbortSignal): Promise<void>;
}

/** Where no tables name tasks: there is nothing to wait for. */
export const noEndpoints: Withdrawal = { withdrawn: () => Promise.resolve() };
