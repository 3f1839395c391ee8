import { Incomplete } from '../incomplete.ts';
import { type Money, money, toText } from '../money.ts';
import { readAmount } from './amounts.ts';
import { quote } from './answers.ts';
import { genuineView, hasUsdcAddress, looksLikeUsdc, type Token } from './usdc.ts';

/** One entry of a wallet's `tokenBalances` (API-FACTS.md A.2): `amount` is in whole units, not in base units. */
export interface TokenBalance {
  token: Token;
  amount: string;
}

/**
 * The genuine USDC among a wallet's balances; undefined if it is not listed, which is not the same as zero. Where gas is
 * USDC the token's entry counts and the native one does not; alone, the native one counts, cut to the token's 6 decimals
 * (API-FACTS.md A.6). Throws `Incomplete` that names the wallet where the entries contradict each other.
 */
export function usdcIn(walletId: string, blockchain: string, balances: readonly TokenBalance[]): Money | undefined {
  const views = { token: new Map<string, Money>(), native: new Map<string, Money>() };
  for (const { token, amount } of balances) {
    const view = genuineView(token, blockchain);
    if (view === undefined && hasUsdcAddress(token, blockchain))
      throw unclear(walletId, `Circle says that its USDC is on ${quote(token.blockchain, 40)}, not on ${blockchain}`);
    if (view === undefined) continue;
    const held = amountOf(walletId, amount);
    if (view === 'token') checkToken(walletId, token);
    views[view].set(toText(held), held);
  }
  if (views.token.size > 1 || views.native.size > 1)
    throw unclear(walletId, 'Circle lists its USDC more than once, with different amounts');
  const [native] = views.native.values();
  const [tokens] = views.token.values();
  return tokens ?? (native && sixDecimals(native));
}

function amountOf(walletId: string, text: string): Money {
  const amount = readAmount(text);
  if (amount === undefined || amount.isNegative()) throw unclear(walletId, 'its USDC is not a plain positive decimal');
  return amount;
}

/** The address says that this is USDC; then it has 6 decimals and is a token. `decimals` may be absent. */
function checkToken(walletId: string, { isNative, decimals }: Token): void {
  if (isNative) throw unclear(walletId, 'Circle calls its USDC the native token of the chain');
  if (decimals !== undefined && decimals !== '6')
    throw unclear(walletId, `its USDC has ${quote(decimals, 10)} decimals, not 6`);
}

function sixDecimals(amount: Money): Money {
  return money(toText(amount).replace(/(\.\d{6})\d+$/, '$1'));
}

/** What only looks like USDC among a wallet's balances: bridged tokens and fakes. Never summed. */
export function lookAlikesIn(blockchain: string, balances: readonly TokenBalance[]): Token[] {
  return balances
    .map(({ token }) => token)
    .filter((token) => genuineView(token, blockchain) === undefined && looksLikeUsdc(token));
}

function unclear(walletId: string, what: string): Incomplete {
  return new Incomplete(`Circle could not be read: of wallet ${quote(walletId)}, ${what}.`);
}
