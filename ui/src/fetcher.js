/** Sends an operation to the address this page was loaded from. */
export async function post(operation, { headers } = {}) {
  const response = await fetch(location.pathname, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...headers,
    },
    body: JSON.stringify(operation),
  });
  const body = await response.text();
  try {
    return JSON.parse(body);
  } catch {
    // A proxy in between answers in HTML; its status says more than "Unexpected token <".
    return { errors: [{ message: `HTTP ${response.status} ${response.statusText} and no JSON: ${body.slice(0, 500)}` }] };
  }
}
