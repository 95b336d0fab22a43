import { runProgram, surroundingsOf } from '../../pkg/config/index.js';
import { swarmAgent } from './command-line.js';

const exitCode = await runProgram(swarmAgent, process.argv.slice(2), surroundingsOf(process));
// Connections to the engine and to managers may linger; nothing of them is needed any more.
process.exit(exitCode);
