// relay-compiler takes the queries of relay/src, and the service answers what came out: node relay.mjs URL
// A list pages through its connection; a record is refetched through `node` with a connection of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [url] = process.argv.slice(2);
const compiled = compile();
const records = await list();
await refetch(records.find(({ analyses }) => analyses.pageInfo.hasNextPage).id);
console.log(`relay: ${Object.keys(compiled).join(', ')} compiled and answered`);

/** The operations that the compiler made, by name. */
function compile() {
  const folder = mkdtempSync(join(tmpdir(), 'datastorage-relay-'));
  try {
    cpSync(join(import.meta.dirname, 'relay'), folder, { recursive: true });
    cpSync(join(import.meta.dirname, '..', 'schema.graphql'), join(folder, 'schema.graphql'));
    mkdirSync(join(folder, 'artifacts'));
    writeFileSync(join(folder, 'persisted.json'), '{}');
    const compiler = createRequire(import.meta.url).resolve('relay-compiler/cli.js');
    execFileSync(process.execPath, [compiler, 'relay.config.json'], { cwd: folder, stdio: ['ignore', 2, 2] });
    const texts = Object.values(JSON.parse(readFileSync(join(folder, 'persisted.json'))));
    return Object.fromEntries(texts.map((text) => [text.match(/^query (\w+)/)[1], text]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All records of the list, page by page. */
async function list() {
  const { remediationAudits: first } = await ask('RemediationsQuery', { first: 3 });
  const records = first.edges.map(({ node }) => node);
  for (let { pageInfo } = first; pageInfo.hasNextPage; ) {
    const { remediationAudits: next } = await ask('RemediationsPageQuery', { first: 3, after: pageInfo.endCursor });
    records.push(...next.edges.map(({ node }) => node));
    ({ pageInfo } = next);
  }
  assert.ok(records.length > 3, 'more than one page');
  assert.equal(records.length, first.totalCount);
  assert.equal(new Set(records.map(({ id }) => id)).size, records.length);
  return records;
}

/** Reads a record again by its id, and the rest of its connection. */
async function refetch(id) {
  const { node } = await ask('RemediationsCardQuery', { id, first: 1 });
  assert.equal(node.id, id);
  assert.equal(node.__typename, 'RemediationAudit');
  assert.equal(node.analyses.pageInfo.hasNextPage, true);
  const { node: rest } = await ask('RemediationsCardQuery', { id, after: node.analyses.pageInfo.endCursor });
  assert.notEqual(rest.analyses.edges[0].node.analysisId, node.analyses.edges[0].node.analysisId);
}

async function ask(name, variables) {
  const body = JSON.stringify({ query: compiled[name], operationName: name, variables });
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  const { data, errors } = await (await fetch(url, { method: 'POST', headers, body })).json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}
