/** What we know about one of Circle's chains. */
export interface Chain {
  network: 'mainnet' | 'testnet';
  /** The address of genuine USDC; undefined where one code stands for many chains. */
  usdc: string | undefined;
  /** How two spellings of an address on this chain are compared. */
  addresses: 'hex' | 'hex64' | 'exact';
  /** False where Circle has no balances endpoint: the money there cannot be verified. */
  readable: boolean;
  /** True where USDC pays for gas, so that one balance is listed twice: native (18 decimals) and as a token (6). */
  nativeIsUsdc: boolean;
}

function chain(network: Chain['network'], usdc: string, special: Partial<Chain> = {}): Chain {
  return { network, usdc, addresses: 'hex', readable: true, nativeIsUsdc: false, ...special };
}

/**
 * Genuine USDC for each of Circle's blockchain codes, and nothing else. Source: API-FACTS.md A.6, which has it from
 * Circle's table of USDC contract addresses; NEAR and the generic EVM codes have no balances endpoint (A.0, trap 5).
 * A code that is not here (MONAD-TESTNET, whatever Circle adds) is a chain that we cannot vouch for.
 */
const USDC_ALLOWLIST: ReadonlyMap<string, Chain> = new Map(
  Object.entries({
    ETH: chain('mainnet', '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'),
    'ETH-SEPOLIA': chain('testnet', '0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238'),
    AVAX: chain('mainnet', '0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E'),
    'AVAX-FUJI': chain('testnet', '0x5425890298aed601595a70AB815c96711a31Bc65'),
    MATIC: chain('mainnet', '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359'),
    'MATIC-AMOY': chain('testnet', '0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582'),
    SOL: chain('mainnet', 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', { addresses: 'exact' }),
    'SOL-DEVNET': chain('testnet', '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU', { addresses: 'exact' }),
    ARB: chain('mainnet', '0xaf88d065e77c8cC2239327C5EDb3A432268e5831'),
    'ARB-SEPOLIA': chain('testnet', '0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d'),
    NEAR: chain('mainnet', '17208628f84f5d6ad33f0da3bbbeb27ffcb398eac501a31bd6ad2011e36133a1', {
      addresses: 'exact',
      readable: false,
    }),
    'NEAR-TESTNET': chain('testnet', '3e2210e1184b45b64c8a434c0a7e7b23cc04ea7eb7a6c3c32520d03d4afcb8af', {
      addresses: 'exact',
      readable: false,
    }),
    EVM: { network: 'mainnet', usdc: undefined, addresses: 'hex', readable: false, nativeIsUsdc: false },
    'EVM-TESTNET': { network: 'testnet', usdc: undefined, addresses: 'hex', readable: false, nativeIsUsdc: false },
    UNI: chain('mainnet', '0x078D782b760474a361dDA0AF3839290b0EF57AD6'),
    'UNI-SEPOLIA': chain('testnet', '0x31d0220469e10c4E71834a79b1f276d740d3768F'),
    BASE: chain('mainnet', '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'),
    'BASE-SEPOLIA': chain('testnet', '0x036CbD53842c5426634e7929541eC2318f3dCF7e'),
    OP: chain('mainnet', '0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85'),
    'OP-SEPOLIA': chain('testnet', '0x5fd84259d66Cd46123540766Be93DFE6D43130D7'),
    APTOS: chain('mainnet', '0xbae207659db88bea0cbead6da0ed00aac12edcdda169e591cd41c94180b46f3b', {
      addresses: 'hex64',
    }),
    'APTOS-TESTNET': chain('testnet', '0x69091fbab5f7d635ee7ac5098cf0c1efbe31d68fec0f2cd565e8d168daf52832', {
      addresses: 'hex64',
    }),
    'ARC-TESTNET': chain('testnet', '0x3600000000000000000000000000000000000000', { nativeIsUsdc: true }),
    ARC: chain('mainnet', '0x3600000000000000000000000000000000000000', { nativeIsUsdc: true }),
    MONAD: chain('mainnet', '0x754704Bc059F8C67012fEd69BC8A327a5aafb603'),
  }),
);

/** The chain behind one of Circle's blockchain codes; undefined if we do not know which token is genuine there. */
export function chainOf(code: string): Chain | undefined {
  return USDC_ALLOWLIST.get(code);
}

/** What Circle says about a token; everything but `isNative` and `blockchain` may be absent (API-FACTS.md A.2). */
export interface Token {
  blockchain: string;
  isNative: boolean;
  tokenAddress?: string | undefined;
  symbol?: string | undefined;
  name?: string | undefined;
  decimals?: string | undefined;
}

/**
 * Which view of genuine USDC a token is on the chain `code`: the `token` itself, the `native` view of a chain whose gas
 * is USDC, or none. Never by name or symbol: anybody can send a wallet a token that is called USDC.
 */
export function genuineView(token: Token, code: string): 'token' | 'native' | undefined {
  const known = chainOf(code);
  if (known?.usdc === undefined || token.blockchain !== code) return undefined;
  if (token.tokenAddress) return hasUsdcAddress(token, code) ? 'token' : undefined;
  return known.nativeIsUsdc && token.isNative ? 'native' : undefined;
}

/** Whether a token has the address of genuine USDC on the chain `code`, wherever it says that it is. */
export function hasUsdcAddress({ tokenAddress }: Token, code: string): boolean {
  const known = chainOf(code);
  if (!tokenAddress || known?.usdc === undefined) return false;
  return sameAddress(tokenAddress, known.usdc, known.addresses);
}

function sameAddress(left: string, right: string, addresses: Chain['addresses']): boolean {
  if (addresses === 'exact') return left === right;
  const width = addresses === 'hex64' ? 64 : 40;
  const digits = padded(left, width);
  return digits !== undefined && digits === padded(right, width);
}

/** Hex comes in checksum case or in lower case, and on Aptos without leading zeros. Undefined if it is not hex. */
function padded(address: string, width: number): string | undefined {
  const digits = /^0x([0-9a-f]+)$/i.exec(address)?.[1];
  return digits?.toLowerCase().padStart(width, '0');
}

/** Whether a token's symbol or name would pass for USDC to the eye: bridged tokens, and fakes with foreign letters. */
export function looksLikeUsdc(token: Token): boolean {
  return [token.symbol, token.name].some((text) => text && usdcLike.test(latin(text)));
}

const usdcLike = /usd\s*b?\s*c|usd\s+(base\s+)?coin/i;

/** Letters of other alphabets that look like those of "USD Coin", after NFKC has folded the mathematical ones. */
const doubles: Readonly<Record<string, string>> = Object.fromEntries(
  ['UՍꓴᑌ', 'SЅѕՏꓢ', 'DԁᎠꓓ', 'CСсϹϲꓚᏟ', 'oОоΟο', 'iІіΙι', 'nΝոп'].flatMap(([plain = '', ...others]) =>
    others.map((other) => [other, plain]),
  ),
);

function latin(text: string): string {
  const visible = text.normalize('NFKC').replace(/[\p{Cf}\p{M}]/gu, '');
  return Array.from(visible, (char) => doubles[char] ?? char).join('');
}
