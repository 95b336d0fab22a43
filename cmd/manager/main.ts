import 'reflect-metadata';
import { runProgram, surroundingsOf } from '../../pkg/config/index.js';
import { swarmManager } from './command-line.js';

const exitCode = await runProgram(swarmManager, process.argv.slice(2), surroundingsOf(process));
// Connections to etcd may linger; nothing of them is needed any more.
process.exit(exitCode);
