// PostGraphile as its documentation starts one: the Amber preset, one pool, and tags that say what the database
// does not (records are linked by key, without foreign keys, since they may arrive in any order).
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";
import { pgSmartTags } from "postgraphile/utils";

// The service's own tables; PostGraphile knows neither sparsevec nor halfvec.
const hidden = ["incident_embedding", "incident_lexical", "term_statistics", "outbox", "alembic_version",
  "schema_compatibility", "api_key", "access_audit", "remediation_event"];

const tags = pgSmartTags([
  {
    kind: "class",
    match: "ai_analysis_audit",
    tags: {
      foreignKey: "(remediation_request_id) references remediation_audit (remediation_request_id)" +
        "|@fieldName remediation|@foreignFieldName analyses",
    },
  },
  ...hidden.map((table) => ({ kind: "class", match: table, tags: { behavior: "-*" } })),
]);

export default {
  extends: [PostGraphileAmberPreset],
  plugins: [tags],
  pgServices: [makePgService({ connectionString: process.env.DATABASE_URL, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", websockets: false, watch: false },
};
