import 'reflect-metadata';
import { boundYoungGeneration } from '../../pkg/base/index.js';
import { runProgram, surroundingsOf } from '../../pkg/config/index.js';
import { swarmManager } from './command-line.js';

/** Measured: more saves no CPU that can be seen, and costs three times as much memory. */
const YOUNG_GENERATION_MIB = 4;

boundYoungGeneration(YOUNG_GENERATION_MIB);
const exitCode = await runProgram(swarmManager, process.argv.slice(2), surroundingsOf(process));
// Connections to etcd may linger; nothing of them is needed any more.
process.exit(exitCode);
