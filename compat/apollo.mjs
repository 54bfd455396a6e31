// Apollo Client reads a list to its end with relayStylePagination() and fetchMore: node apollo.mjs URL
import assert from 'node:assert/strict';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';

const [url] = process.argv.slice(2);
const client = new ApolloClient({
  link: new HttpLink({ uri: url }),
  cache: new InMemoryCache({
    typePolicies: { Query: { fields: { remediationAudits: relayStylePagination(['filter', 'orderBy']) } } },
  }),
});
const query = gql`
  query Remediations($after: String) {
    remediationAudits(first: 3, after: $after, orderBy: [{ field: START_TIME, direction: DESC }]) {
      totalCount
      edges {
        node {
          id
          remediationRequestId
        }
      }
      pageInfo {
        hasPreviousPage
        hasNextPage
        startCursor
        endCursor
      }
    }
  }
`;

const list = client.watchQuery({ query });
const cached = () => client.readQuery({ query }).remediationAudits;
await client.query({ query });
let pages = 1;
for (; cached().pageInfo.hasNextPage; pages += 1) {
  const { edges, pageInfo } = cached();
  await list.fetchMore({ variables: { after: pageInfo.endCursor } });
  assert.ok(cached().edges.length > edges.length, 'the page was joined to those before');
}

const { edges, totalCount } = cached();
assert.ok(pages > 1, 'more than one page');
assert.equal(edges.length, totalCount);
assert.equal(new Set(edges.map(({ node }) => node.id)).size, totalCount);
console.log(`@apollo/client: ${totalCount} records on ${pages} pages`);
