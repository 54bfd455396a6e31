// Lints schema.graphql with the rules of eslint.config.mjs: node lint.mjs
import { join } from 'node:path';
import { ESLint } from 'eslint';

const eslint = new ESLint({
  cwd: join(import.meta.dirname, '..'), // what is linted must lie below
  overrideConfigFile: join(import.meta.dirname, 'eslint.config.mjs'),
});
const results = await eslint.lintFiles('schema.graphql');
console.log((await (await eslint.loadFormatter('stylish')).format(results)) || '@graphql-eslint: no faults');
process.exitCode = results.some(({ errorCount, warningCount }) => errorCount + warningCount) ? 1 : 0;
