/** Configuration: flags and environment of a program become one validated, frozen object. */
export { option } from './option.js';
export type { Option, OptionSpec } from './option.js';
export { defineOptions, loadOptions } from './load-options.js';
export type { OptionTable, Options } from './load-options.js';
export { formatHostPort } from './parsers.js';
export type { HostPort } from './parsers.js';
export { UsageError, defineCommand, runProgram, surroundingsOf } from './program.js';
export type { Program, ProgramCommand, Surroundings } from './program.js';
export type { HelpText } from './render-help.js';
export { readSecretFile } from './read-secret-file.js';
