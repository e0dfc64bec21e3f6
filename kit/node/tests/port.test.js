/** The page's port stays open while Vite restarts. */
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from 'vite';
import port from '../vite/port.js';
import { project } from './projects.js';

/** A server of Vite whose answers tell how often it has started. */
async function start(answer = () => {}) {
  let starts = 0;
  const counting = {
    name: 'counting',
    configureServer({ middlewares }) {
      const number = ++starts;
      middlewares.use('/count', async (req, res) => {
        await answer(number, req);
        res.end(String(number));
      });
    },
  };
  const server = await createServer({
    configFile: false,
    root: project(),
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, ws: false },
    plugins: [port(), counting],
  });
  onTestFinished(() => server.close());
  await server.listen();
  const address = new URL(server.resolvedUrls.local[0]);
  return Object.assign(server, { address });
}

async function ask({ address }, options = {}) {
  const { port } = address;
  const agent = options.agent ?? false;
  const response = await new Promise((resolve, reject) => {
    http
      .get(
        { host: '127.0.0.1', port, path: '/count', agent, ...options },
        resolve,
      )
      .on('error', reject);
  });
  return [response.statusCode, await text(response)];
}

describe('while Vite restarts', () => {
  it('no request is refused or cut, also on a connection that is kept', async () => {
    const server = await start();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const answers = [];
    let isOver = false;
    const askOn = async (options) => {
      while (!isOver) answers.push(await ask(server, options));
    };
    const asking = [askOn(), askOn(), askOn({ agent })];
    for (let i = 0; i < 5; i++) await server.restart();
    isOver = true;
    await Promise.all(asking);
    expect(answers.filter(([status]) => status !== 200)).toEqual([]);
    expect(await ask(server)).toEqual([200, '6']);
  });

  it('a request that was begun is answered by who has begun', async () => {
    let arrived;
    const hasArrived = new Promise((resolve) => {
      arrived = resolve;
    });
    const server = await start(async (number) => {
      if (number > 1) return;
      arrived();
      await sleep(50);
    });
    const asked = ask(server);
    await hasArrived;
    await server.restart();
    expect(await asked).toEqual([200, '1']);
    expect(await ask(server)).toEqual([200, '2']);
  });

  it('the address stays what it was', async () => {
    const server = await start();
    const { local } = server.resolvedUrls;
    await server.restart();
    expect(server.resolvedUrls.local).toEqual(local);
  });
});

it('takes as many cookies as production', async () => {
  const server = await start();
  const headers = { Cookie: `a=${'x'.repeat(20_000)}` };
  expect(await ask(server, { headers })).toEqual([200, '1']);
});

it('is free again when Vite is closed', async () => {
  const server = await start();
  await server.restart();
  await server.close();
  await expect(ask(server)).rejects.toThrow('ECONNREFUSED');
});
