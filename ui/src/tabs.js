import create from './queries/create.graphql?raw';
import newest from './queries/newest.graphql?raw';
import similar from './queries/similar.graphql?raw';

/** The tabs a newcomer finds; later visits restore the visitor's own. */
export function firstTabs() {
  return [
    { query: newest },
    { query: create, variables: JSON.stringify({ input: exampleAudit() }, null, 2) },
    { query: similar },
  ];
}

function exampleAudit() {
  const now = Date.now();
  return {
    // A new key per visitor: a repeated one would be answered as a retry of the first.
    remediationRequestId: `try-${now.toString(36)}`,
    name: 'restart-checkout',
    namespace: 'shop',
    clusterName: 'eu-west-1',
    environment: 'staging',
    severity: 'HIGH',
    phase: 'COMPLETED',
    actionType: 'restart_pod',
    actionParameters: { gracePeriodSeconds: 30 },
    targetResource: 'Deployment/checkout',
    alertFingerprint: 'checkout-oom',
    startTime: new Date(now - 90_000).toISOString(),
    endTime: new Date(now).toISOString(),
    errorMessage: 'OOMKilled: container checkout exceeded its memory limit of 512Mi',
    resolution: 'Memory limit raised to 1Gi and the pod restarted.',
    metadata: { summary: 'Checkout pods run out of memory', ticket: 'OPS-1234' },
  };
}
