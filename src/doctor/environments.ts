import type { Config } from '../config.ts';
import { warning, type Examination } from './examination.ts';

/** By what the prefix of a key and the host of an address begin with or are. Source: API-FACTS.md A.0, B and B.1. */
const environmentOf: Readonly<Record<string, 'live' | 'test'>> = {
  LIVE_API_KEY: 'live',
  TEST_API_KEY: 'test',
  'broker-api.alpaca.markets': 'live',
  'broker-api.sandbox.alpaca.markets': 'test',
  'authx.alpaca.markets': 'live',
  'authx.sandbox.alpaca.markets': 'test',
};

/** That both custodians are asked about real money, or both about that of a sandbox. Asks nobody; silent where that is so. */
export const environments: Examination = {
  topic: 'custodians',
  examine({ config }) {
    const known = signsOf(config).filter(({ sign }) => environmentOf[sign] !== undefined);
    if (new Set(known.map(({ sign }) => environmentOf[sign])).size < 2) return Promise.resolve([]);
    const told = known.map(
      ({ variable, sign }) => `${variable} (${sign}) is of the ${environmentOf[sign] ?? ''} environment`,
    );
    return Promise.resolve([
      warning(`Two environments are mixed: ${told.join(', ')}.`, 'Take all of the environment that the books are of.'),
    ]);
  },
};

/** What tells the environment of a custodian whose check is on. */
function signsOf({ checks, circle, alpaca }: Config): { variable: string; sign: string }[] {
  const hostOf = (url = '') => (url === '' ? '' : new URL(url).host);
  return [
    ...(checks.includes('circle_balance')
      ? [{ variable: 'CIRCLE_API_KEY', sign: circle.apiKey?.split(':')[0] ?? '' }]
      : []),
    ...(checks.includes('alpaca_balance')
      ? [
          { variable: 'ALPACA_BASE_URL', sign: hostOf(alpaca.baseUrl) },
          { variable: 'ALPACA_AUTH_URL', sign: hostOf(alpaca.authUrl) },
        ]
      : []),
  ];
}
