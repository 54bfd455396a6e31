import 'graphiql/setup-workers/vite';
import './style.css';

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { createLocalStorage } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { post } from './fetcher.js';
import { firstTabs } from './tabs.js';

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

// Ports of localhost are shared by many services over time: tabs of another GraphiQL must not appear here.
const storage = createLocalStorage({ namespace: 'datastorage' });

// Metadata and action parameters are free JSON objects; without this the variables editor underlines every object.
const customScalarSchemas = { JSONObject: { type: 'object' } };

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={post}
    storage={storage}
    plugins={plugins}
    defaultTabs={firstTabs()}
    defaultEditorToolsVisibility="variables"
    customScalarSchemas={customScalarSchemas}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>Data Storage Service</GraphiQL.Logo>
  </GraphiQL>,
);
