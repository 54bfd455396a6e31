import { defineConfig } from 'vite';

// React's server components do not exist here, so their markers, one per module, are not worth a page of warnings.
function withoutServerMarkers(level, log, report) {
  if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
}

export default defineConfig({
  // The page itself is served at /graphql, so its assets need a path of their own.
  base: '/graphiql/',
  build: {
    target: 'es2022',
    license: { fileName: 'licenses.md' },
    // The editor is one large part whatever is done about it; it is cached by the browser for good.
    chunkSizeWarningLimit: 8192,
    rolldownOptions: { onLog: withoutServerMarkers },
  },
  // A module worker loads its own chunks and needs no eval, which the page's content security policy forbids.
  worker: { format: 'es', rolldownOptions: { onLog: withoutServerMarkers } },
});
