// Audits a GraphQL endpoint against the GraphQL over HTTP specification: node audit.mjs http://127.0.0.1:8080/graphql
// A MUST or SHOULD that does not hold is a failure; a MAY is only reported. CI calls it, see tests/e2e.
import { serverAudits } from 'graphql-http';

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

const binding = /^(MUST|SHOULD)\b/;
const audits = serverAudits({ url, fetchFn: fetch });
const results = await Promise.all(audits.map(async (audit) => [audit, await audit.fn()]));
const failures = results.filter(([{ name }, { status }]) => status !== 'ok' && binding.test(name));

for (const [{ id, name }, { status, reason }] of results) {
  console.log(`${status.padEnd(6)} ${id}  ${name}`);
  if (reason) console.log(`              ${reason}`);
}
console.log(`\n${results.length} audits, ${failures.length} failures of a MUST or SHOULD`);
process.exitCode = failures.length || !results.length ? 1 : 0;
