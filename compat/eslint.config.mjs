import { join } from 'node:path';
import graphqlPlugin from '@graphql-eslint/eslint-plugin';

const { configs, parser } = graphqlPlugin;

export default [
  {
    files: ['schema.graphql'],
    languageOptions: {
      parser,
      parserOptions: { graphQLConfig: { schema: join(import.meta.dirname, '..', 'schema.graphql') } },
    },
    plugins: { '@graphql-eslint': graphqlPlugin },
    rules: {
      ...configs['flat/schema-recommended'].rules,
      ...configs['flat/schema-relay'].rules,

      // Everything a client can see is described, not only types and root fields.
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
        },
      ],
      // A failed write is told in its result, so no mutation answers with a bare scalar.
      '@graphql-eslint/no-scalar-result-type-on-mutation': 'error',

      // Lists of plain values are lists: the shortcut `nodes` beside `edges`, the results of a batch in the order of
      // its inputs, the faults of an input, the hits of a search. What can be paged is a connection all the same.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],

      // Records have ids, as Node demands of them. Pages, edges, results, errors, statistics are values and have none.
      '@graphql-eslint/strict-id-in-types': 'off',
    },
  },
];
