// A process of its own: a bare Fastify route that answers any request with a ready text of so many bytes.
import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';

const fastify = createRequire(import.meta.url)('fastify') as () => FastifyInstance;

const head = '{"Success":true,"Data":{"Status":"success","Code":"';
const tail = '"}}';
const answer = `${head}${'x'.repeat(Math.max(0, Number(process.argv[2]) - head.length - tail.length))}${tail}`;

const server = fastify();
server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
  done(null, body),
);
server.post('/', (_, reply) => reply.type('application/json').send(answer));
console.log(`ready on ${await server.listen({ host: '127.0.0.1', port: 0 })}`);
