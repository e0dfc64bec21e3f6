import { once } from 'node:events';

export const HOST = '127.0.0.1';

/** Let a server listen on a free port until the test ends; return the port. */
export async function listen(server) {
  server.listen(0, HOST);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return server.address().port;
}
