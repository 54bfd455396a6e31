// Apollo Client names its queries by their hash, by GET, and sends each only once: node apollo_persisted.mjs URL
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';

const [url] = process.argv.slice(2);
const asked = [];
const counted = (input, options) => {
  const sent = options.body ?? new URL(input).searchParams.toString();
  asked.push({ method: options.method, withText: /["&?]?query["=]/.test(sent) });
  return fetch(input, options);
};
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const client = new ApolloClient({
  link: new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
    new HttpLink({ uri: url, fetch: counted }),
  ),
  cache: new InMemoryCache(),
});
const query = gql`
  query Persisted($first: Int) {
    remediationAudits(first: $first) {
      nodes {
        remediationRequestId
      }
    }
  }
`;

for (const first of [1, 2, 3]) {
  const { data } = await client.query({ query, variables: { first }, fetchPolicy: 'network-only' });
  assert.equal(data.remediationAudits.nodes.length, first);
}
assert.deepEqual(asked, [
  { method: 'GET', withText: false },
  { method: 'POST', withText: true },
  { method: 'GET', withText: false },
  { method: 'GET', withText: false },
]);
console.log(`@apollo/client: ${asked.length} requests for 3 persisted queries, 1 with its text`);
