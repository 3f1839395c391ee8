import { describe, expect, it } from 'vitest';
import { chainOf, genuineView, looksLikeUsdc } from '../../src/custodians/usdc.ts';

const base = { isNative: false, symbol: 'USDC', name: 'USD Coin' };

describe('genuineView', () => {
  it.each([
    ['ETH', '0xA0B86991C6218B36C1D19D4A2E9EB0CE3606EB48'.replace('0X', '0x'), 'token'],
    ['ETH', 'a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', undefined],
    ['SOL', 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', 'token'],
    ['SOL', 'epjfwdd5aufqssqem2qn1xzybapc8g4weggkzwytdt1v', undefined],
    ['APTOS', '0xBAE207659DB88BEA0CBEAD6DA0ED00AAC12EDCDDA169E591CD41C94180B46F3B', 'token'],
    ['BASE', '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', undefined],
    ['NOWHERE', '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', undefined],
    ['EVM', '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', undefined],
  ])('on %s, %s: %s', (blockchain, tokenAddress, view) => {
    expect(genuineView({ ...base, blockchain, tokenAddress }, blockchain)).toBe(view);
  });

  it('fills up the zeros that Aptos leaves out, and only leading ones', () => {
    const testnet = chainOf('APTOS-TESTNET')!.usdc!;
    const view = (tokenAddress: string) =>
      genuineView({ ...base, blockchain: 'APTOS-TESTNET', tokenAddress }, 'APTOS-TESTNET');
    expect(view(testnet)).toBe('token');
    expect(view(`0x0${testnet.slice(2)}`)).toBeUndefined();
    expect(view(testnet.slice(0, -1))).toBeUndefined();
  });

  it('wants the token to be on the chain of the wallet', () => {
    const token = { ...base, blockchain: 'ETH', tokenAddress: chainOf('BASE')!.usdc! };
    expect(genuineView(token, 'BASE')).toBeUndefined();
  });

  it('sees the native USDC of Arc and of no other chain', () => {
    const native = { isNative: true, symbol: 'USDC', decimals: '18' };
    expect(genuineView({ ...native, blockchain: 'ARC' }, 'ARC')).toBe('native');
    expect(genuineView({ ...native, blockchain: 'ETH' }, 'ETH')).toBeUndefined();
    expect(genuineView({ ...native, isNative: false, blockchain: 'ARC' }, 'ARC')).toBeUndefined();
  });
});

describe('looksLikeUsdc', () => {
  it.each([
    'USDC',
    'usdc.e',
    'USDbC',
    'USD Coin',
    'USD Base Coin',
    'US\u200bDC',
    '\u0405\u0421USDC',
    'U\u0405DC',
    '\uff35\uff33\uff24\uff23',
    'US\u216e\u0421',
    'USD C\u03bfin',
  ])('%s does', (symbol) => {
    expect(looksLikeUsdc({ blockchain: 'ETH', isNative: false, symbol })).toBe(true);
  });

  it.each(['USDT', 'DAI', 'ETH', '', 'EURC'])('%j does not', (symbol) => {
    expect(looksLikeUsdc({ blockchain: 'ETH', isNative: false, symbol })).toBe(false);
  });

  it('goes by the name as well', () => {
    expect(looksLikeUsdc({ blockchain: 'ETH', isNative: false, symbol: 'X', name: 'USD Coin' })).toBe(true);
    expect(looksLikeUsdc({ blockchain: 'ETH', isNative: true })).toBe(false);
  });
});
