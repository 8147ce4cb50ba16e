// The floor of a forwarded request: a server that gives back what it gets. Prints a line of JSON when it is ready.
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => undefined }, async (request) => {
  return new Response(request.body);
});
console.log(JSON.stringify({ origin: `http://127.0.0.1:${server.addr.port}` }));
