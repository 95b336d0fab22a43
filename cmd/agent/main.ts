import { boundYoungGeneration } from '../../pkg/base/index.js';
import { runProgram, surroundingsOf } from '../../pkg/config/index.js';
import { swarmAgent } from './command-line.js';

/** Measured: more saves no CPU that can be seen, and costs three times as much memory. */
const YOUNG_GENERATION_MIB = 2;

boundYoungGeneration(YOUNG_GENERATION_MIB);
const exitCode = await runProgram(swarmAgent, process.argv.slice(2), surroundingsOf(process));
// Connections to the engine and to managers may linger; nothing of them is needed any more.
process.exit(exitCode);
