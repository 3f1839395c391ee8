// Everything that can go wrong at Alpaca, as switches: `alpacaFaults['no cash'](alpaca)`.
import {
  accountOpenedMeanwhile,
  answersForAnother,
  forbidden,
  moneyAsNumbers,
  slowAccount,
  type AlpacaSandbox,
} from './alpaca-sandbox.ts';
import { idFrom } from './circle-sandbox.ts';
import {
  answers,
  changedJson,
  htmlError,
  minutesBefore,
  tooManyRequests,
  truncatedJson,
  type Fault,
} from './sandbox-server.ts';

const list = { path: /^\/v1\/accounts\?/ };
const money = { path: /^\/v1\/trading\// };
const journals = { path: /^\/v1\/journals\?/ };
const activities = { path: /^\/v1\/accounts\/activities\?/ };
const any = { path: /./ };

const put =
  (...faults: Fault[]) =>
  (alpaca: AlpacaSandbox) =>
    void alpaca.faults.push(...faults);

const first = ({ accounts }: AlpacaSandbox) => [...accounts.values()][0]!;

/** Fresh ones for each sandbox: a fault counts how often it was due. */
export const alpacaFaults = {
  'passing unavailability': (alpaca) => {
    put(htmlError({ ...any, times: 3 }, 503))(alpaca);
  },
  'passing rate limit': (alpaca) => {
    put(tooManyRequests({ ...any, times: 3 }, '0'))(alpaca);
  },
  'money as JSON numbers': put(moneyAsNumbers(money)),
  'short pages': (alpaca) => void (alpaca.accountsPerPage = 1 + alpaca.accounts.size / 2),
  'account opened meanwhile': (alpaca) => {
    put(accountOpenedMeanwhile({ ...list }, alpaca, { id: idFrom('new') }))(alpaca);
  },
  'margin account': (alpaca) => {
    const account = first(alpaca);
    Object.assign(account, { multiplier: '4', buying_power: '262113.63' });
  },
  'clock that is ahead': (alpaca) => {
    alpaca.dateBy(() => minutesBefore(alpaca.now(), -6));
  },
  unavailability: put(htmlError(any, 503)),
  'rate limit for good': put(tooManyRequests(any, '0')),
  'refused secret': put(answers(any, { status: 401, body: '{"code":40110000,"message":"request is not authorized"}' })),
  'forbidden, as a JSON string': put(forbidden(list)),
  'JSON that breaks off': put(truncatedJson(money)),
  'account that never answers': (alpaca) => {
    put(slowAccount(first(alpaca).id))(alpaca);
  },
  'account that is not found': (alpaca) => {
    put(answers({ path: new RegExp(`trading.*${first(alpaca).id}`) }, { status: 404, body: '{"code":40410000}' }))(
      alpaca,
    );
  },
  'account that is answered for another': put(answersForAnother(money, idFrom('another'))),
  'no buying power': (alpaca) => void first(alpaca).omit.push('buying_power'),
  'no currency': (alpaca) => void first(alpaca).omit.push('currency'),
  'account in euro': (alpaca) => void (first(alpaca).currency = 'EUR'),
  'buying power that is no number': (alpaca) => void (first(alpaca).buying_power = '1e3'),
  'same page again and again': (alpaca) => {
    alpaca.accountsPerPage = 1000;
    const row = { id: idFrom('copy'), created_at: '2026-03-01T00:00:00Z', status: 'ACTIVE' };
    const page = Array.from({ length: 1000 }, () => row);
    put(answers(list, { status: 200, body: JSON.stringify(page) }))(alpaca);
  },
  'accounts out of order': (alpaca) => {
    alpaca.add({ id: idFrom('second') });
    put(changedJson(list, (page: unknown[]) => page.reverse()))(alpaca);
  },
  'empty listing': put(answers(list, { status: 200, body: '[]' })),
  'object for a list': put(answers(list, { status: 200, body: '{"accounts":[]}' })),
  'too many journals': put(answers(journals, { status: 422, body: '"the result set is too large"' })),
  'activities that break off': put(truncatedJson(activities)),
  'clock without a time': put(changedJson({ path: /^\/v1\/clock$/ }, () => ({ is_open: true }))),
  'clock of another day': put(
    changedJson({ path: /^\/v1\/clock$/ }, () => ({ timestamp: '2026-02-28T12:00:00-05:00' })),
  ),
  'cash that never stands still': (alpaca) => {
    const { id } = first(alpaca);
    put({
      ...money,
      respond: (real) => {
        const answer = real();
        alpaca.move(id, '1');
        return answer;
      },
    })(alpaca);
  },
} satisfies Record<string, (alpaca: AlpacaSandbox) => void>;
