import { z } from 'zod';
import { Incomplete } from '../incomplete.ts';
import { quote } from './answers.ts';
import { type Circle, readPages } from './circle-client.ts';
import { chainOf } from './usdc.ts';

/** State, custody type and chain are open sets: Circle may add values. */
export const walletSchema = z.object({
  id: z.string().min(1),
  blockchain: z.string().min(1),
  address: z.string().min(1),
  custodyType: z.string(),
  state: z.string(),
  createDate: z.string(),
});
export type Wallet = z.infer<typeof walletSchema>;
/** By id. */
export type Wallets = ReadonlyMap<string, Wallet>;
const walletsSchema = z.object({ data: z.object({ wallets: z.array(walletSchema) }) });

/**
 * All wallets, oldest first, so that one created meanwhile comes last and moves no page. Without `to`: a clock of ours
 * that is slow would hide wallets from both listings alike.
 */
export async function listWallets(circle: Circle): Promise<Wallets> {
  const wallets = new Map<string, Wallet>();
  const pages = readPages(circle, '/v1/w3s/wallets', { order: 'ASC' }, walletsSchema, {
    itemsOf: ({ data }) => data.wallets,
    keyOf: ({ id }) => id,
  });
  for await (const page of pages) for (const wallet of page) wallets.set(wallet.id, wallet);
  return wallets;
}

/** The developer wallets that are not excluded. Throws if any of them cannot be read, before money is asked for. */
export function walletsToRead(listed: Wallets, exclude: ReadonlySet<string>): Wallets {
  const wanted = new Map([...listed].filter(([id, wallet]) => !exclude.has(id) && inOurCustody(wallet)));
  const wallets = [...wanted.values()];
  const unread = wallets.filter(({ blockchain }) => chainOf(blockchain)?.readable !== true);
  if (unread.length > 0) throw cannotVerify(unread);
  refuseTwoOfOneAddress(wallets);
  const mainnet = wallets.find(({ blockchain }) => chainOf(blockchain)?.network === 'mainnet');
  const testnet = wallets.find(({ blockchain }) => chainOf(blockchain)?.network === 'testnet');
  if (mainnet && testnet)
    throw new Incomplete(
      `Circle lists wallets of mainnets and of testnets together (${named(mainnet)}; ${named(testnet)}), and the USDC of a testnet is worth nothing: use a key of one environment, or name the others in RECONCILIATION_CIRCLE_EXCLUDE.`,
      78,
    );
  return wanted;
}

/** There is one wallet for each address on a chain (API-FACTS.md A.1): two would count the same money twice. */
function refuseTwoOfOneAddress(wallets: readonly Wallet[]): void {
  const byAddress = new Map<string, Wallet>();
  for (const wallet of wallets) {
    const { blockchain, address } = wallet;
    const key = `${blockchain} ${chainOf(blockchain)?.addresses === 'exact' ? address : address.toLowerCase()}`;
    const other = byAddress.get(key);
    if (other !== undefined)
      throw new Incomplete(
        `Circle could not be read: it lists ${named(other)} and ${named(wallet)} with one address, so the same money twice; name one of them in RECONCILIATION_CIRCLE_EXCLUDE.`,
      );
    byAddress.set(key, wallet);
  }
}

/** `ENDUSER` wallets are controlled by the customers themselves. A custody type that we do not know is counted. */
export function inOurCustody({ custodyType }: Wallet): boolean {
  return custodyType !== 'ENDUSER';
}

function cannotVerify(wallets: Wallet[]): Incomplete {
  const some = wallets.slice(0, 5).map((wallet) => {
    const known = chainOf(wallet.blockchain) !== undefined;
    return `${named(wallet)} (${known ? 'Circle shows no balances there' : 'which USDC is genuine there is not known'})`;
  });
  const more = wallets.length > 5 ? ` and ${wallets.length - 5} more` : '';
  return new Incomplete(
    `Circle's USDC cannot be verified in ${some.join(', ')}${more}: name the wallets that hold no customers' money in RECONCILIATION_CIRCLE_EXCLUDE.`,
    78, // it will be the same next time
  );
}

/** For messages. */
export function named({ id, blockchain }: Wallet): string {
  return `wallet ${quote(id)} on ${quote(blockchain, 40)}`;
}

/** The chains that they are on, each once. */
export function chainsOf(wanted: Wallets): string[] {
  return [...new Set(Array.from(wanted.values(), ({ blockchain }) => blockchain))];
}

/** For the metadata. */
export function describeWallets(
  listed: Wallets,
  wanted: Wallets,
  exclude: ReadonlySet<string>,
): Record<string, unknown> {
  const wallets = [...listed.values()];
  return {
    wallets_read: wanted.size,
    wallets_frozen: [...wanted.values()].filter(({ state }) => state === 'FROZEN').length,
    wallets_excluded: wallets.filter(({ id }) => exclude.has(id)).length,
    excluded_but_unknown: [...exclude].filter((id) => !listed.has(id)),
    wallets_of_end_users: wallets.filter((wallet) => !inOurCustody(wallet)).length,
  };
}
