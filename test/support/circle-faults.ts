// Everything that can go wrong at Circle, as switches: `circleFaults['endless listing'](circle)`.
import {
  arcUsdc,
  bareLinks,
  duplicatedWallet,
  endlessNext,
  foreignLink,
  idFrom,
  spoofedUsdc,
  walletCreatedMeanwhile,
  type CircleSandbox,
} from './circle-sandbox.ts';
import {
  answers,
  changedJson,
  cutConnection,
  htmlError,
  minutesBefore,
  slowBody,
  tooManyRequests,
  truncatedJson,
  type Fault,
} from './sandbox-server.ts';

const list = { path: /^\/v1\/w3s\/wallets\?/ };
const bulk = { path: /^\/v1\/w3s\/developer\/wallets\/balances\?/ };
const transactions = { path: /^\/v1\/w3s\/transactions\?/ };
const any = { path: /./ };

interface Page {
  data: { wallets: { id: string; blockchain?: string; tokenBalances: { amount: unknown }[] }[] };
}

const put =
  (...faults: Fault[]) =>
  (circle: CircleSandbox) =>
    void circle.faults.push(...faults);

/** Chains of the environment that the sandbox’s wallets are in, and one of the other. */
function chainsOf({ wallets }: CircleSandbox) {
  const [wallet] = wallets.values();
  return wallet!.blockchain.includes('-')
    ? ({ base: 'BASE-SEPOLIA', arc: 'ARC-TESTNET', near: 'NEAR-TESTNET', foreign: 'ETH' } as const)
    : ({ base: 'BASE', arc: 'ARC', near: 'NEAR', foreign: 'ETH-SEPOLIA' } as const);
}

/** Fresh ones for each sandbox: a fault counts how often it was due. */
export const circleFaults = {
  'passing bad gateway': (circle) => {
    put(htmlError({ ...any, times: 3 }, 502))(circle);
  },
  'passing rate limit': (circle) => {
    put(tooManyRequests({ ...any, times: 3 }, '0'))(circle);
  },
  'passing broken connection': (circle) => {
    put(cutConnection({ ...any, times: 3 }))(circle);
  },
  'wallet listed twice': (circle) => {
    const [wallet] = circle.wallets.values();
    put(duplicatedWallet({ path: new RegExp(`${bulk.path.source}.*blockchain=${wallet!.blockchain}(&|$)`) }, wallet!))(
      circle,
    );
  },
  'wallet created meanwhile': (circle) => {
    put(walletCreatedMeanwhile({ ...bulk }, circle, { id: idFrom('new'), blockchain: chainsOf(circle).base }))(circle);
  },
  'links without <>': (circle) => {
    put(bareLinks(any))(circle);
  },
  'token that only looks like USDC': (circle) => {
    [...circle.wallets.values()][0]!.balances.push(spoofedUsdc(chainsOf(circle).base, '1000000'));
    circle.listsEveryToken = true;
  },
  'one balance listed twice on Arc': (circle) => {
    const { arc } = chainsOf(circle);
    circle.add({ id: idFrom('arc'), blockchain: arc, balances: arcUsdc(arc, '0.000000999') });
  },
  'USDC that is not monitored': (circle) => {
    circle.monitoredTokens = [];
    put(
      changedJson(bulk, ({ data }: Page) => {
        data.wallets.forEach((wallet) => (wallet.tokenBalances = []));
      }),
    )(circle);
  },
  'clock a little behind': (circle) => {
    circle.dateBy(() => minutesBefore(circle.now(), 4));
  },
  'clock that is behind': (circle) => {
    circle.dateBy(() => minutesBefore(circle.now(), 6));
  },
  'bad gateway': put(htmlError(any, 502)),
  'rate limit for good': put(tooManyRequests(any, '0')),
  'rate limit for a minute': put(tooManyRequests(any, '60')),
  'rate limit for an hour': put(tooManyRequests(any, '3600')),
  'body that never ends': put(slowBody(any)),
  'connection that breaks off': put(cutConnection(any)),
  'empty body': put(answers(any, { status: 200 })),
  'page for people': put(answers(any, { status: 200, body: '<html>Please log in, jane@example.org</html>' })),
  'JSON that breaks off': put(truncatedJson(bulk)),
  'too large a body': (circle) => {
    put({ ...bulk, respond: () => ({ status: 200, headers: {}, body: ' '.repeat(33 * 2 ** 20) }) })(circle);
  },
  redirect: put(answers(any, { status: 302, headers: { location: 'https://elsewhere.example/' } })),
  'refused key': put(answers(any, { status: 401, body: '{"code":401,"message":"Malformed authorization."}' })),
  'forbidden key': put(answers(any, { status: 403, body: '{"code":3,"message":"no access"}' })),
  'key of the other environment': put(answers(bulk, { status: 400, body: '{"code":156006,"message":"env"}' })),
  'key that is sent back': put({
    ...any,
    respond: (_real, { headers }) => ({
      status: 400,
      headers: { 'x-request-id': headers['authorization'] ?? '' },
      body: JSON.stringify({ code: 2, message: `unexpected ${headers['authorization'] ?? ''}` }),
    }),
  }),
  'endless listing': put(endlessNext(bulk)),
  'endless transactions': put(endlessNext(transactions)),
  'transactions out of order': (circle) => {
    const { id } = [...circle.wallets.values()][0]!;
    circle.move(id, '0').createDate = '2026-02-01T00:00:00Z';
    circle.move(id, '0');
    put(
      changedJson(transactions, ({ data }: { data: { transactions: unknown[] } }) => void data.transactions.reverse()),
    )(circle);
  },
  'link to another host': (circle) => {
    const { base: blockchain } = chainsOf(circle);
    for (let count = 0; count < 60; count += 1) circle.add({ id: idFrom(`more ${count}`), blockchain });
    put(foreignLink(list))(circle);
  },
  'field that is missing': put(
    changedJson(list, ({ data }: Page) => {
      delete data.wallets[0]!.blockchain;
    }),
  ),
  'amount that is no number': put(
    changedJson(bulk, ({ data }: Page) => {
      data.wallets.forEach((wallet) => (wallet.tokenBalances[0]!.amount = 'NaN'));
    }),
  ),
  'amount of the wrong type': put(
    changedJson(bulk, ({ data }: Page) => {
      data.wallets.forEach((wallet) => (wallet.tokenBalances[0]!.amount = {}));
    }),
  ),
  'wallet of another chain': put(changedJson(bulk, ({ data }: Page) => void (data.wallets[0]!.blockchain = 'OP'))),
  'listing that lost a wallet': put(changedJson(bulk, ({ data }: Page) => void data.wallets.pop())),
  'both listings empty': put(
    changedJson(list, ({ data }: Page) => void (data.wallets = [])),
    changedJson(bulk, ({ data }: Page) => void (data.wallets = [])),
  ),
  'wallet that cannot be verified': (circle) =>
    void circle.add({ id: idFrom('near'), blockchain: chainsOf(circle).near }),
  'wallets of two environments': (circle) =>
    void circle.add({ id: idFrom('eth'), blockchain: chainsOf(circle).foreign, usdc: '1' }),
  'money that never stands still': (circle) => {
    const [wallet] = [...circle.wallets.values()];
    put({
      path: /balances\?/,
      respond: (real) => {
        const answer = real();
        circle.move(wallet!.id, '1');
        return answer;
      },
    })(circle);
  },
} satisfies Record<string, (circle: CircleSandbox) => void>;
