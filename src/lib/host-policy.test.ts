import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { kindOfAddress } from './address-kind.ts';
import { HostRefused, type NameLookup, resolveAllowed } from './host-policy.ts';

/** None is asked for a literal address. */
const noLookup: NameLookup = (name) => Promise.reject(new Error(`${name} was looked up`));
const OPEN = { private: 'allow', loopback: 'allow' } as const;
const CLOSED = { private: 'deny', loopback: 'deny' } as const;

/** Address → kind, however it is spelt. */
const SPELLINGS: Readonly<Record<'forbidden' | 'loopback' | 'private' | 'public', readonly string[]>> = {
  forbidden: [
    '169.254.169.254',
    '169.254.0.0',
    '169.254.255.255',
    '169.254.169.254.',
    '[::ffff:169.254.169.254]',
    '2852039166',
    '0xA9FEA9FE',
    '0xa9.0xfe.0xa9.0xfe',
    '0251.0376.0251.0376',
    '0251.254.0xa9.254',
    '025177524776',
    '169.254.43518',
    '169.16689662',
    '169.254.0xa9fe',
    '１６９.２５４.１６９.２５４',
    '169。254。169。254',
    '①⑥⑨.②⑤④.①⑥⑨.②⑤④',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::FFFF:A9FE:A9FE',
    '::ffff:0:a9fe:a9fe',
    '::169.254.169.254',
    '::a9fe:a9fe',
    '64:ff9b::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    '2002:a9fe:a9fe::1',
    '2001:0:1234:5678:0:0:5601:5601',
    'fe80::5efe:169.254.169.254',
    '2001:db8::5efe:a9fe:a9fe',
    'fe80::1',
    'fe80::1%lo',
    'febf:ffff::1',
    'fd00:ec2::254',
    'fd00:0ec2:0000::0254',
    'fd00:ec2::253',
    'fd20:ce::254',
    '100.100.100.200',
    '1684301000',
    '0x646464c8',
    '0144.0144.0144.0310',
    '::ffff:100.100.100.200',
    '64:ff9b::6464:64c8',
    '168.63.129.16',
    '192.0.0.192',
    '0.0.0.0',
    '0',
    '00',
    '0x0',
    '0x',
    '0.0',
    '0.1.2.3',
    '::',
    '0:0:0:0:0:0:0:0',
    '[::]',
    '::ffff:0.0.0.0',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '0xffffffff',
    '4294967295',
    '240.0.0.1',
    'ff02::1',
    '100::1',
  ],
  loopback: [
    '127.0.0.1',
    '127.1',
    '127.255.255.254',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ],
  private: [
    '10.0.0.1',
    '10.1',
    '167772161',
    '012.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '0xc0a80001',
    '192.168.1',
    '100.64.0.1',
    '100.100.100.201',
    '198.18.0.1',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
    '::ffff:10.0.0.1',
    '2002:a00:1::',
  ],
  public: [
    '8.8.8.8',
    '134744072',
    '172.32.0.1',
    '172.15.0.1',
    '100.63.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '1.1',
  ],
};

async function refusalOf(host: string, policy: typeof OPEN | typeof CLOSED): Promise<string | null> {
  try {
    await resolveAllowed(host, policy, noLookup);
    return null;
  } catch (error) {
    if (!(error instanceof HostRefused)) throw error;
    return error.code;
  }
}

void describe('the host policy', () => {
  for (const [kind, hosts] of Object.entries(SPELLINGS)) {
    void it(`takes each of ${hosts.length} spellings of ${kind} addresses as ${kind}, without asking a name server`, async () => {
      const refused = 'Network.HostRefused';
      const expected = {
        forbidden: [refused, refused],
        loopback: [null, refused],
        private: [null, refused],
        public: [null, null],
      }[kind];
      for (const host of hosts)
        assert.deepEqual(
          [host, await refusalOf(host, OPEN), await refusalOf(host, CLOSED)],
          [host, ...(expected ?? [])],
        );
    });
  }

  void it('allows what is private and what is loopback each for itself', async () => {
    const onlyPrivate = { private: 'allow', loopback: 'deny' } as const;
    const onlyLoopback = { private: 'deny', loopback: 'allow' } as const;
    await assert.rejects(resolveAllowed('127.0.0.1', onlyPrivate), HostRefused);
    await assert.rejects(resolveAllowed('10.0.0.1', onlyLoopback), HostRefused);
    const [{ addresses: own }, { addresses: inside }] = await Promise.all([
      resolveAllowed('127.1', onlyLoopback),
      resolveAllowed('10.0.0.1', onlyPrivate),
    ]);
    assert.deepEqual([own, inside], [[{ address: '127.0.0.1', family: 4 }], [{ address: '10.0.0.1', family: 4 }]]);
  });

  void it('refuses a name if any of its addresses is refused, and says which and what to do', async () => {
    const mixed: NameLookup = async () => [
      { address: '8.8.8.8', family: 4 },
      { address: '::ffff:a9fe:a9fe', family: 6 },
    ];
    await assert.rejects(resolveAllowed('db.example', OPEN, mixed), {
      code: 'Network.HostRefused',
      message:
        'db.example is ::ffff:a9fe:a9fe, which is a metadata, link-local or reserved address: it is never connected to',
      hint: 'Give the address of the server itself.',
    });
    await assert.rejects(
      resolveAllowed('db.example', CLOSED, async () => [{ address: '10.0.0.7', family: 4 }]),
      {
        message: 'db.example is 10.0.0.7, which is a private address, and the service is set not to connect to those',
        hint: 'Give a public address, or set networkPrivate to allow in the configuration of the service.',
      },
    );
  });

  void it('connects to the address that it looked at, whatever the name server says next', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    let asked = 0;
    const rebinding: NameLookup = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }];
    };
    const { lookup } = await resolveAllowed('rebinding.example', OPEN, rebinding);
    for (let time = 0; time < 2; time += 1) {
      const socket = connect({ host: 'rebinding.example', port, lookup });
      const remote = await new Promise((resolve, reject) => {
        socket.once('connect', () => resolve(socket.remoteAddress)).once('error', reject);
      });
      socket.destroy();
      assert.equal(remote, '127.0.0.1');
    }
    assert.equal(asked, 1);
    await assert.rejects(resolveAllowed('rebinding.example', OPEN, rebinding), HostRefused);
    server.close();
  });

  void it('takes what is no address for a name, and passes on what its lookup says', async () => {
    for (const name of ['256.1.1.1', '1.2.3.4.5', '0xg', '08.1.1.1', 'a.1', '4294967296', '1..2', 'localhost', ''])
      await assert.rejects(resolveAllowed(name, OPEN, noLookup), new Error(`${name} was looked up`));
    await assert.rejects(
      resolveAllowed('none.example', OPEN, async () => []),
      { code: 'ENOTFOUND' },
    );
    assert.throws(() => kindOfAddress('name'), TypeError);
  });

  void it('answers a connection of one address family with addresses of that family', async () => {
    const both: NameLookup = async () => [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const { lookup } = await resolveAllowed('localhost', OPEN, both);
    const answers: unknown[] = [];
    const callback = (...answer: unknown[]) => answers.push(answer.slice(1));
    lookup('localhost', { family: 4 }, callback);
    lookup('localhost', {}, callback);
    lookup('localhost', { all: true }, callback);
    assert.deepEqual(answers, [
      ['127.0.0.1', 4],
      ['::1', 6],
      [
        [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ],
      ],
    ]);
  });
});
