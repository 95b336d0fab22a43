import { InvalidObjectError, NotFoundError, TerminalError } from '../base/index.js';
import { EngineRefusedError, ImagePullError } from '../engine/index.js';

/** The CamelCase word under which a report tells of an error. */
export function reasonOf(error: unknown): string {
  if (error instanceof ImagePullError || error instanceof TerminalError) return error.reason;
  if (error instanceof EngineRefusedError) return 'EngineRefused';
  if (error instanceof InvalidObjectError) return 'InvalidContainer';
  if (error instanceof NotFoundError) return 'NotFound';
  return 'AgentError';
}
