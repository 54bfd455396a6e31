// What a Relay application would say: a list that pages, and a card that can be refetched by itself.
import { graphql } from 'relay-runtime';

export const list = graphql`
  query RemediationsQuery($first: Int = 2) {
    ...Remediations_list @arguments(first: $first)
  }
`;

export const listFragment = graphql`
  fragment Remediations_list on Query
  @argumentDefinitions(first: { type: "Int" }, after: { type: "String" }, filter: { type: "RemediationAuditFilter" })
  @refetchable(queryName: "RemediationsPageQuery") {
    remediationAudits(first: $first, after: $after, filter: $filter) @connection(key: "Remediations_remediationAudits") {
      totalCount
      edges {
        node {
          ...Remediations_card
        }
      }
    }
  }
`;

export const cardFragment = graphql`
  fragment Remediations_card on RemediationAudit
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" })
  @refetchable(queryName: "RemediationsCardQuery") {
    remediationRequestId
    startTime
    analyses(first: $first, after: $after) @connection(key: "Remediations_analyses") {
      edges {
        node {
          analysisId
        }
      }
    }
  }
`;
