import { randomInt } from 'node:crypto';
import { createServer, type ListenOptions } from 'node:net';

/** Below what systems use for outgoing connections, above what services are known by. */
const SERVER_PORTS = [15_000, 32_000] as const;

/**
 * A port that is free now, and given to nobody else who asks here while this process lives. None of those that the system
 * gives to connections: one of these would be lost while a server starts, or between its end and its return.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...SERVER_PORTS);
    if ((await claim(port)) && (await isFree(port))) return port;
  }
}

/**
 * Test files run side by side, and servers take seconds until they listen. A name in Linux's abstract namespace has one
 * listener, and goes with its process, however that ends; elsewhere there is no claim.
 */
async function claim(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return (await listen({ path: `\0disync-port-${port}` })) !== null;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen({ port, host: '127.0.0.1' });
  if (server === null) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Null when the address is taken. What listens keeps no process alive. */
function listen(address: ListenOptions): Promise<ReturnType<typeof createServer> | null> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once('error', () => resolve(null));
    server.listen(address, () => resolve(server));
  });
}
